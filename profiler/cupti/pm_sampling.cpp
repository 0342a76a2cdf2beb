#include "profiler/cupti/pm_sampling.hpp"

#include <cupti_pmsampling.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_target.h>

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

struct PmSampler::Impl {
  PmOptions options;
  std::vector<std::string> names;
  std::vector<const char*> metrics;
  HostObject host;
  CUpti_PmSampling_Object* object = nullptr;
  std::vector<std::uint8_t> image;
  bool overflow = false;

  std::string open();
  std::string counters_of_device(std::string& chip, std::vector<std::uint8_t>& availability) const;
  std::string set_config();
  std::string make_image();
  std::string read_image(std::vector<PmSample>& samples);
};

std::string PmSampler::Impl::counters_of_device(std::string& chip,
                                                std::vector<std::uint8_t>& availability) const {
  RACKWRIGHT_PARAMS(CUpti_Profiler_Initialize, initialise);
  if (const auto code = cuptiProfilerInitialize(&initialise); code != CUPTI_SUCCESS) {
    return failed("cuptiProfilerInitialize", code);
  }
  RACKWRIGHT_PARAMS(CUpti_Device_GetChipName, name);
  name.deviceIndex = options.device;
  if (const auto code = cuptiDeviceGetChipName(&name); code != CUPTI_SUCCESS) {
    return failed("cuptiDeviceGetChipName", code);
  }
  chip = name.pChipName;
  RACKWRIGHT_PARAMS(CUpti_PmSampling_GetCounterAvailability, available);
  available.deviceIndex = options.device;
  if (const auto code = cuptiPmSamplingGetCounterAvailability(&available); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingGetCounterAvailability", code);
  }
  availability.assign(available.counterAvailabilityImageSize, 0);
  available.pCounterAvailabilityImage = availability.data();
  return failed("cuptiPmSamplingGetCounterAvailability",
                cuptiPmSamplingGetCounterAvailability(&available));
}

std::string PmSampler::Impl::set_config() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Enable, enable);
  enable.deviceIndex = options.device;
  if (const auto code = cuptiPmSamplingEnable(&enable); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingEnable", code);
  }
  object = enable.pPmSamplingObject;
  RACKWRIGHT_PARAMS(CUpti_PmSampling_SetConfig, config);
  config.pPmSamplingObject = object;
  config.configSize = host.config().size();
  config.pConfig = host.config().data();
  config.hardwareBufferSize = options.hardware_buffer;
  config.samplingInterval = options.interval_ns;
  config.triggerMode = options.by_clock ? CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_SYSCLK_INTERVAL
                                        : CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL;
  config.hwBufferAppendMode = CUPTI_PM_SAMPLING_HARDWARE_BUFFER_APPEND_MODE_KEEP_OLDEST;
  return failed("cuptiPmSamplingSetConfig", cuptiPmSamplingSetConfig(&config));
}

std::string PmSampler::Impl::make_image() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_GetCounterDataSize, size);
  size.pPmSamplingObject = object;
  size.pMetricNames = metrics.data();
  size.numMetrics = metrics.size();
  size.maxSamples = options.samples_per_decode;
  if (const auto code = cuptiPmSamplingGetCounterDataSize(&size); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingGetCounterDataSize", code);
  }
  image.assign(size.counterDataSize, 0);
  RACKWRIGHT_PARAMS(CUpti_PmSampling_CounterDataImage_Initialize, initialise);
  initialise.pPmSamplingObject = object;
  initialise.counterDataSize = image.size();
  initialise.pCounterData = image.data();
  return failed("cuptiPmSamplingCounterDataImageInitialize",
                cuptiPmSamplingCounterDataImageInitialize(&initialise));
}

std::string PmSampler::Impl::open() {
  std::string chip;
  std::vector<std::uint8_t> availability;
  std::string reason = counters_of_device(chip, availability);
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
  if (const auto code = cuptiPmSamplingGetCounterDataInfo(&info); code != CUPTI_SUCCESS) {
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
    if (const auto code = cuptiPmSamplingCounterDataGetSampleInfo(&time); code != CUPTI_SUCCESS) {
      return failed("cuptiPmSamplingCounterDataGetSampleInfo", code);
    }
    if (const auto code = cuptiProfilerHostEvaluateToGpuValues(&values); code != CUPTI_SUCCESS) {
      return failed("cuptiProfilerHostEvaluateToGpuValues", code);
    }
    sample.start_ns = time.startTimestamp;
    sample.end_ns = time.endTimestamp;
    samples.push_back(std::move(sample));
  }
  return "";
}

std::unique_ptr<PmSampler> PmSampler::open(const std::vector<std::string>& metrics,
                                           const PmOptions& options, std::string& reason) {
  auto impl = std::make_unique<Impl>();
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
  cuptiPmSamplingDisable(&params);
}

std::string PmSampler::start() {
  RACKWRIGHT_PARAMS(CUpti_PmSampling_Start, params);
  params.pPmSamplingObject = impl_->object;
  return failed("cuptiPmSamplingStart", cuptiPmSamplingStart(&params));
}

std::string PmSampler::decode(std::vector<PmSample>& samples) {
  while (true) {
    RACKWRIGHT_PARAMS(CUpti_PmSampling_DecodeData, params);
    params.pPmSamplingObject = impl_->object;
    params.pCounterDataImage = impl_->image.data();
    params.counterDataImageSize = impl_->image.size();
    const CUptiResult code = cuptiPmSamplingDecodeData(&params);
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
  if (const auto code = cuptiPmSamplingStop(&params); code != CUPTI_SUCCESS) {
    return failed("cuptiPmSamplingStop", code);
  }
  return decode(samples);
}

bool PmSampler::overflowed() const {
  return impl_->overflow;
}

}  // namespace rackwright::profiler::cupti
