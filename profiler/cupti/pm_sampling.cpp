#include "profiler/cupti/pm_sampling.hpp"

#include "profiler/cupti/activity_session.hpp"

namespace rackwright::profiler::cupti {

namespace {

std::vector<const char*> pointers_to(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return pointers;
}

/// Parameters with size and everything else zero.
template <class Params>
Params sized(std::size_t size) {
  Params params{};
  params.structSize = size;
  return params;
}
#define RACKWRIGHT_PARAMS(type, name) auto name = sized<type##_Params>(type##_Params_STRUCT_SIZE)

std::string failed(const char* call, CUptiResult code) {
  return code == CUPTI_SUCCESS ? "" : cupti_reason(call, code);
}

/// What of the configuration stands in the way, in the words of the parameter's documentation.
std::string unsupported(const CUpti_Profiler_DeviceSupported_Params& found) {
  const auto bad = [](CUpti_Profiler_Support_Level level) {
    return level == CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED ||
           level == CUPTI_PROFILER_CONFIGURATION_DISABLED;
  };
  if (!bad(found.isSupported)) return "";
  if (bad(found.architecture)) return "no counters: this architecture has no PM sampling";
  if (bad(found.vGpu)) return "no counters: the hypervisor of this vGPU does not allow profiling";
  if (bad(found.confidentialCompute)) return "no counters: confidential computing is on";
  if (bad(found.sli)) return "no counters: SLI is on";
  if (bad(found.wsl)) return "no counters: WSL does not allow profiling";
  return "no counters: this device or its set-up does not support PM sampling";
}

/// Host side: from metric names to a configuration and back to values.
class HostObject {
 public:
  ~HostObject() {
    if (object_ == nullptr) return;
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_Deinitialize, params);
    params.pHostObject = object_;
    cuptiProfilerHostDeinitialize(&params);
  }
  std::string open(const char* chip, const std::vector<std::uint8_t>& availability) {
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_Initialize, params);
    params.profilerType = CUPTI_PROFILER_TYPE_PM_SAMPLING;
    params.pChipName = chip;
    params.pCounterAvailabilityImage = availability.empty() ? nullptr : availability.data();
    const CUptiResult code = cuptiProfilerHostInitialize(&params);
    if (code == CUPTI_SUCCESS) object_ = params.pHostObject;
    return failed("cuptiProfilerHostInitialize", code);
  }
  std::string configure(std::vector<const char*>& metrics) {
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_ConfigAddMetrics, add);
    add.pHostObject = object_;
    add.ppMetricNames = metrics.data();
    add.numMetrics = metrics.size();
    if (const auto code = cuptiProfilerHostConfigAddMetrics(&add); code != CUPTI_SUCCESS) {
      return failed("cuptiProfilerHostConfigAddMetrics", code);
    }
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_GetConfigImageSize, size);
    size.pHostObject = object_;
    if (const auto code = cuptiProfilerHostGetConfigImageSize(&size); code != CUPTI_SUCCESS) {
      return failed("cuptiProfilerHostGetConfigImageSize", code);
    }
    config_.assign(size.configImageSize, 0);
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_GetConfigImage, image);
    image.pHostObject = object_;
    image.configImageSize = config_.size();
    image.pConfigImage = config_.data();
    if (const auto code = cuptiProfilerHostGetConfigImage(&image); code != CUPTI_SUCCESS) {
      return failed("cuptiProfilerHostGetConfigImage", code);
    }
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_GetNumOfPasses, passes);
    passes.configImageSize = config_.size();
    passes.pConfigImage = config_.data();
    const CUptiResult code = cuptiProfilerHostGetNumOfPasses(&passes);
    passes_ = passes.numOfPasses;
    return failed("cuptiProfilerHostGetNumOfPasses", code);
  }
  [[nodiscard]] CUpti_Profiler_Host_Object* object() const { return object_; }
  [[nodiscard]] const std::vector<std::uint8_t>& config() const { return config_; }
  [[nodiscard]] std::size_t passes() const { return passes_; }

 private:
  CUpti_Profiler_Host_Object* object_ = nullptr;
  std::vector<std::uint8_t> config_;
  std::size_t passes_ = 0;
};

}  // namespace

PlanCheck check_plan(const std::string& chip, const std::vector<std::string>& metrics) {
  PlanCheck check;
  HostObject host;
  check.reason = host.open(chip.c_str(), {});
  if (!check.reason.empty()) return check;
  auto names = pointers_to(metrics);
  check.reason = host.configure(names);
  check.resolves = check.reason.empty();
  check.passes = host.passes();
  return check;
}

std::string chip_name(const PmCalls& calls, std::size_t device, std::string& reason) {
  RACKWRIGHT_PARAMS(CUpti_Profiler_Initialize, initialise);
  reason = failed("cuptiProfilerInitialize", calls.initialise(&initialise));
  if (!reason.empty()) return "";
  RACKWRIGHT_PARAMS(CUpti_Profiler_DeviceSupported, supported);
  supported.cuDevice = static_cast<CUdevice>(device);
  supported.api = CUPTI_PROFILER_PM_SAMPLING;
  reason = failed("cuptiProfilerDeviceSupported", calls.supported(&supported));
  if (reason.empty()) reason = unsupported(supported);
  if (!reason.empty()) return "";
  RACKWRIGHT_PARAMS(CUpti_Device_GetChipName, name);
  name.deviceIndex = device;
  reason = failed("cuptiDeviceGetChipName", calls.chip(&name));
  return reason.empty() ? name.pChipName : "";
}

struct PmSampler::Impl {
  PmCalls calls;
  PmOptions options;
  std::vector<std::string> names;
  std::vector<const char*> metrics;
  HostObject host;
  CUpti_PmSampling_Object* object = nullptr;
  std::vector<std::uint8_t> image;
  bool overflow = false;

  std::string open();
  std::string counters_of_device(std::vector<std::uint8_t>& availability) const;
  std::string set_config();
  std::string make_image();
  std::string read_image(std::vector<PmSample>& samples);
};

std::string PmSampler::Impl::counters_of_device(std::vector<std::uint8_t>& availability) const {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_GetCounterAvailability, available);
  available.deviceIndex = options.device;
  if (const auto code = calls.availability(&available); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingGetCounterAvailability", code);
  }
  availability.assign(available.counterAvailabilityImageSize, 0);
  available.pCounterAvailabilityImage = availability.data();
  return failed("cuptiPmSamplingGetCounterAvailability", calls.availability(&available));
}

std::string PmSampler::Impl::set_config() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Enable, enable);
  enable.deviceIndex = options.device;
  if (const auto code = calls.enable(&enable); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingEnable", code);
  }
  object = enable.pPmSamplingObject;
  RACKWRIGHT_PARAMS(CUpti_PmSampling_SetConfig, config);
  config.pPmSamplingObject = object;
  config.configSize = host.config().size();
  config.pConfig = host.config().data();
  config.hardwareBufferSize = options.hardware_buffer;
  config.samplingInterval = options.interval;
  config.triggerMode = options.by_clock ? CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_SYSCLK_INTERVAL
                                        : CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL;
  config.hwBufferAppendMode = CUPTI_PM_SAMPLING_HARDWARE_BUFFER_APPEND_MODE_KEEP_OLDEST;
  return failed("cuptiPmSamplingSetConfig", calls.set_config(&config));
}

std::string PmSampler::Impl::make_image() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_GetCounterDataSize, size);
  size.pPmSamplingObject = object;
  size.pMetricNames = metrics.data();
  size.numMetrics = metrics.size();
  size.maxSamples = options.samples_per_decode;
  if (const auto code = calls.data_size(&size); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingGetCounterDataSize", code);
  }
  image.assign(size.counterDataSize, 0);
  RACKWRIGHT_PARAMS(CUpti_PmSampling_CounterDataImage_Initialize, initialise);
  initialise.pPmSamplingObject = object;
  initialise.counterDataSize = image.size();
  initialise.pCounterData = image.data();
  return failed("cuptiPmSamplingCounterDataImageInitialize", calls.make_image(&initialise));
}

std::string PmSampler::Impl::open() {
  std::string reason;
  const std::string chip = chip_name(calls, options.device, reason);
  std::vector<std::uint8_t> availability;
  if (reason.empty()) reason = counters_of_device(availability);
  if (reason.empty()) reason = host.open(chip.c_str(), availability);
  if (reason.empty()) reason = host.configure(metrics);
  if (reason.empty() && host.passes() != 1) {
    reason = "the counters of the plan for " + chip + " need " + std::to_string(host.passes()) +
             " passes; sampling has one";
  }
  if (reason.empty()) reason = set_config();
  if (reason.empty()) reason = make_image();
  return reason;
}

std::string PmSampler::Impl::read_image(std::vector<PmSample>& samples) {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_GetCounterDataInfo, info);
  info.pCounterDataImage = image.data();
  info.counterDataImageSize = image.size();
  if (const auto code = calls.data_info(&info); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingGetCounterDataInfo", code);
  }
  for (std::size_t i = 0; i < info.numCompletedSamples; ++i) {
    RACKWRIGHT_PARAMS(CUpti_PmSampling_CounterData_GetSampleInfo, time);
    time.pPmSamplingObject = object;
    time.pCounterDataImage = image.data();
    time.counterDataImageSize = image.size();
    time.sampleIndex = i;
    PmSample sample;
    sample.values.resize(metrics.size());
    RACKWRIGHT_PARAMS(CUpti_Profiler_Host_EvaluateToGpuValues, values);
    values.pHostObject = host.object();
    values.pCounterDataImage = image.data();
    values.counterDataImageSize = image.size();
    values.rangeIndex = i;
    values.ppMetricNames = metrics.data();
    values.numMetrics = metrics.size();
    values.pMetricValues = sample.values.data();
    if (const auto code = calls.sample_info(&time); code != CUPTI_SUCCESS) {
      return failed("cuptiPmSamplingCounterDataGetSampleInfo", code);
    }
    if (const auto code = calls.values(&values); code != CUPTI_SUCCESS) {
      return failed("cuptiProfilerHostEvaluateToGpuValues", code);
    }
    sample.start_ns = time.startTimestamp;
    sample.end_ns = time.endTimestamp;
    samples.push_back(std::move(sample));
  }
  return "";
}

std::unique_ptr<PmSampler> PmSampler::open(const PmCalls& calls,
                                           const std::vector<std::string>& metrics,
                                           const PmOptions& options, std::string& reason) {
  auto impl = std::make_unique<Impl>();
  impl->calls = calls;
  impl->options = options;
  impl->names = metrics;
  impl->metrics = pointers_to(impl->names);
  std::unique_ptr<PmSampler> sampler(new PmSampler(std::move(impl)));
  reason = sampler->impl_->open();
  return reason.empty() ? std::move(sampler) : nullptr;
}

PmSampler::PmSampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PmSampler::~PmSampler() {
  if (impl_->object == nullptr) return;
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Disable, params);
  params.pPmSamplingObject = impl_->object;
  impl_->calls.disable(&params);
}

std::string PmSampler::start() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Start, params);
  params.pPmSamplingObject = impl_->object;
  return failed("cuptiPmSamplingStart", impl_->calls.start(&params));
}

std::string PmSampler::decode(std::vector<PmSample>& samples) {
  while (true) {
    RACKWRIGHT_PARAMS(CUpti_PmSampling_DecodeData, params);
    params.pPmSamplingObject = impl_->object;
    params.pCounterDataImage = impl_->image.data();
    params.counterDataImageSize = impl_->image.size();
    const CUptiResult code = impl_->calls.decode(&params);
    impl_->overflow = impl_->overflow || params.overflow != 0 || code == CUPTI_ERROR_OUT_OF_MEMORY;
    if (code != CUPTI_SUCCESS) return failed("cuptiPmSamplingDecodeData", code);
    if (std::string reason = impl_->read_image(samples); !reason.empty()) return reason;
    if (std::string reason = impl_->make_image(); !reason.empty()) return reason;
    if (params.decodeStopReason != CUPTI_PM_SAMPLING_DECODE_STOP_REASON_COUNTER_DATA_FULL) {
      return "";
    }
  }
}

std::string PmSampler::stop(std::vector<PmSample>& samples) {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Stop, params);
  params.pPmSamplingObject = impl_->object;
  const std::string stopped = failed("cuptiPmSamplingStop", impl_->calls.stop(&params));
  const std::string decoded = decode(samples);
  return stopped.empty() ? decoded : stopped;
}

bool PmSampler::overflowed() const {
  return impl_->overflow;
}

}  // namespace rackwright::profiler::cupti
