#include "profiler/nvml/gpu_reader.hpp"

#include <ctime>

#include <fmt/format.h>

namespace rackwright::profiler::nvml {

namespace {

constexpr double kMilli = 1e-3;
constexpr double kNano = 1e-9;
constexpr double kKib = 1024;
constexpr double kMib = 1048576;
/// GPM counters of Hopper are invalid when read faster.
constexpr std::int64_t kGpmPeriodUs = 100000;

template <class Text>
std::string text_of(Text text, Device device) {
  char buffer[96] = "";
  return text != nullptr && text(device, buffer, sizeof buffer) == kSuccess ? buffer : "";
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

/// The serial up to its first zero byte.
std::string serial(const unsigned char (&bytes)[16]) {
  std::string text;
  for (const unsigned char byte : bytes) {
    if (byte == 0) break;
    text += static_cast<char>(byte);
  }
  return text;
}

void read_platform(const Functions& call, Device device, GpuPlace& place) {
  PlatformInfo info{};
  info.version = kPlatformInfoVersion;
  if (call.platform_info != nullptr && call.platform_info(device, &info) == kSuccess) {
    place.chassis_serial = serial(info.chassis_serial);
    place.slot = info.slot;
    place.tray = info.tray;
    place.host = info.host;
    place.module = info.module;
    return;
  }
  unsigned module = 0;
  if (call.module_id != nullptr && call.module_id(device, &module) == kSuccess) {
    place.module = static_cast<int>(module);
  }
}

void read_fabric(const Functions& call, Device device, GpuPlace& place) {
  if (call.fabric_info == nullptr) return;
  FabricInfo info{};
  info.version = kFabricInfoVersion3;
  int code = call.fabric_info(device, &info);
  if (code == kArgumentVersionMismatch) {
    info = {};
    info.version = kFabricInfoVersion2;
    code = call.fabric_info(device, &info);
  }
  if (code != kSuccess || info.state != kFabricCompleted || info.status != kSuccess) return;
  place.cluster_uuid = hex(info.cluster_uuid, sizeof info.cluster_uuid);
  place.clique = info.clique;
}

FieldValue field(unsigned id, unsigned scope) {
  FieldValue value{};
  value.field_id = id;
  value.scope_id = scope;
  return value;
}

double ask_field(const Functions& call, Device device, unsigned id, unsigned scope) {
  FieldValue value = field(id, scope);
  if (call.field_values == nullptr || call.field_values(device, 1, &value) != kSuccess) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return field_number(value);
}

}  // namespace

double field_number(const FieldValue& field) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (field.code != kSuccess) return kNone;
  switch (field.value_type) {
    case kDouble:
      return field.value.d;
    case kUnsigned:
      return field.value.u;
    case kUnsignedLong:
      return static_cast<double>(field.value.ul);
    case kUnsignedLongLong:
      return static_cast<double>(field.value.ull);
    case kLongLong:
      return static_cast<double>(field.value.ll);
    case kInt:
      return field.value.i;
    case kUnsignedShort:
      return field.value.us;
    default:
      return kNone;
  }
}

std::int64_t realtime_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

GpuReader::GpuReader(std::shared_ptr<const Library> library, unsigned index)
    : library_(std::move(library)), index_(index) {
  handle_code_ = library_->call().device_by_index(index, &device_);
  if (handle_code_ != kSuccess) return;
  read_identity();
  const auto add = [&](unsigned id, unsigned scope, Quantity meaning, double scale) {
    fields_.push_back(field(id, scope));
    field_meaning_.push_back(meaning);
    field_scale_.push_back(scale);
  };
  add(kFieldPowerInstant, kScopeGpu, Quantity::power_instant, kMilli);
  add(kFieldPowerAverage, kScopeGpu, Quantity::power_average, kMilli);
  add(kFieldPowerInstant, kScopeModule, Quantity::module_power, kMilli);
  add(kFieldPowerAverage, kScopeMemory, Quantity::memory_power, kMilli);
  add(kFieldEnergy, kScopeGpu, Quantity::energy, kMilli);
  add(kFieldMemoryTemperature, 0, Quantity::memory_temperature, 1);
  add(kFieldPowerCapTime, 0, Quantity::power_cap_time, kNano);
  add(kFieldPcieSentBytes, 0, Quantity::pcie_sent, 1);
  add(kFieldPcieReceivedBytes, 0, Quantity::pcie_received, 1);
  probe_links();
  if (nvlink5_) {
    for (unsigned link = 0; link < links_; ++link) {
      add(kFieldNvlinkSentBytes, link, Quantity::nvlink_sent, 1);
      add(kFieldNvlinkReceivedBytes, link, Quantity::nvlink_received, 1);
    }
  } else if (links_ > 0) {
    add(kFieldNvlinkSentKib, kAllLinks, Quantity::nvlink_sent, kKib);
    add(kFieldNvlinkReceivedKib, kAllLinks, Quantity::nvlink_received, kKib);
  }
  probe_gpm();
  probed_.gpu = index_;
  handle_code_ = read(probed_);
  if (handle_code_ != kGpuIsLost) handle_code_ = kSuccess;
}

GpuReader::~GpuReader() {
  const Functions& call = library_->call();
  if (gpm_first_ != nullptr) call.gpm_free(gpm_first_);
  if (gpm_second_ != nullptr) call.gpm_free(gpm_second_);
}

std::string GpuReader::nvlink_source() const {
  if (links_ == 0) return "none";
  return nvlink5_ ? "NVLink 5, bytes per link" : "NVLink up to 4, KiB of all links";
}

void GpuReader::read_identity() {
  const Functions& call = library_->call();
  identity_.name = text_of(call.name, device_);
  identity_.uuid = text_of(call.uuid, device_);
  PciInfo pci{};
  if (call.pci_info != nullptr && call.pci_info(device_, &pci) == kSuccess) {
    identity_.pci_bus_id = pci.bus_id;
  }
  int major = 0, minor = 0;
  if (call.compute_capability != nullptr &&
      call.compute_capability(device_, &major, &minor) == kSuccess) {
    identity_.compute_capability = fmt::format("{}.{}", major, minor);
    // GA100 and older answer nvmlDeviceGetPowerUsage with an instantaneous value, newer parts with
    // the mean over 1 s.
    instant_usage_ = major < 8 || (major == 8 && minor == 0);
  }
  unsigned now = 0, pending = 0, limit = 0;
  identity_.mig =
      call.mig_mode != nullptr && call.mig_mode(device_, &now, &pending) == kSuccess && now == 1;
  int persistence = 0;
  if (call.persistence_mode != nullptr &&
      call.persistence_mode(device_, &persistence) == kSuccess) {
    identity_.persistence = persistence == 1;
  }
  if (call.power_limit != nullptr && call.power_limit(device_, &limit) == kSuccess) {
    identity_.power_limit_w = limit * kMilli;
  }
  read_platform(call, device_, identity_.place);
  read_fabric(call, device_, identity_.place);
  const auto keep = [&](unsigned id) {
    const double value = ask_field(call, device_, id, 0);
    if (!std::isnan(value)) identity_.settings.emplace_back(id, value);
  };
  for (unsigned id = kFieldLimitFirst; id <= kFieldLimitLast; ++id) keep(id);
  for (unsigned id = kFieldSmoothingFirst; id <= kFieldSmoothingLast; ++id) keep(id);
  keep(kFieldEdppMultiplier);
}

void GpuReader::probe_links() {
  const Functions& call = library_->call();
  const double count = ask_field(call, device_, kFieldNvlinkCount, 0);
  if (std::isnan(count) || count < 1) return;
  links_ = static_cast<unsigned>(count);
  nvlink5_ = !std::isnan(ask_field(call, device_, kFieldNvlinkSentBytes, 0));
}

void GpuReader::probe_gpm() {
  const Functions& call = library_->call();
  GpmSupport support{kGpmVersion, 0};
  if (call.gpm_support == nullptr || call.gpm_alloc == nullptr || call.gpm_free == nullptr ||
      call.gpm_get == nullptr || call.gpm_metrics == nullptr ||
      call.gpm_support(device_, &support) != kSuccess || support.supported == 0) {
    return;
  }
  if (call.gpm_alloc(&gpm_first_) != kSuccess) {
    gpm_first_ = nullptr;
    return;
  }
  if (call.gpm_alloc(&gpm_second_) != kSuccess) {
    call.gpm_free(gpm_first_);
    gpm_first_ = gpm_second_ = nullptr;
  }
}

int GpuReader::read(GpuSample& sample) {
  sample = {};
  sample.gpu = index_;
  sample.time_us = realtime_us();
  if (handle_code_ != kSuccess) return handle_code_;
  if (const int code = read_fields(sample); code == kGpuIsLost) return code;
  const Functions& call = library_->call();
  unsigned milliwatts = 0;
  if (!sample.has(instant_usage_ ? Quantity::power_instant : Quantity::power_average) &&
      call.power_usage != nullptr) {
    const int code = call.power_usage(device_, &milliwatts);
    if (code == kGpuIsLost) return code;
    if (code == kSuccess) {
      sample[instant_usage_ ? Quantity::power_instant : Quantity::power_average] =
          milliwatts * kMilli;
    }
  }
  unsigned long long millijoules = 0;
  if (!sample.has(Quantity::energy) && call.total_energy != nullptr &&
      call.total_energy(device_, &millijoules) == kSuccess) {
    sample[Quantity::energy] = static_cast<double>(millijoules) * kMilli;
  }
  read_thermal(sample);
  read_clocks(sample);
  read_gpm(sample);
  return kSuccess;
}

int GpuReader::read_fields(GpuSample& sample) {
  const Functions& call = library_->call();
  if (call.field_values == nullptr) return kFunctionNotFound;
  const int code = call.field_values(device_, static_cast<int>(fields_.size()), fields_.data());
  if (code != kSuccess) return code;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].code == kGpuIsLost) return kGpuIsLost;
    const double value = field_number(fields_[i]) * field_scale_[i];
    if (std::isnan(value)) continue;
    double& sum = sample[field_meaning_[i]];
    sum = std::isnan(sum) ? value : sum + value;
  }
  if (fields_[0].code == kSuccess && fields_[0].timestamp_us > 0) {
    sample.time_us = fields_[0].timestamp_us;
  }
  return kSuccess;
}

void GpuReader::read_thermal(GpuSample& sample) {
  const Functions& call = library_->call();
  Temperature now{kTemperatureVersion, 0, 0};
  unsigned degrees = 0;
  if (call.temperature_v != nullptr && call.temperature_v(device_, &now) == kSuccess) {
    sample[Quantity::temperature] = now.degrees_c;
  } else if (call.temperature != nullptr && call.temperature(device_, 0, &degrees) == kSuccess) {
    sample[Quantity::temperature] = degrees;
  }
  MarginTemperature margin{kMarginTemperatureVersion, 0};
  if (call.margin_temperature != nullptr && call.margin_temperature(device_, &margin) == kSuccess) {
    sample[Quantity::temperature_margin] = margin.degrees_c;
  }
}

void GpuReader::read_clocks(GpuSample& sample) {
  constexpr int kSmClock = 1, kMemoryClock = 2;
  constexpr double kMegahertz = 1e6;
  const Functions& call = library_->call();
  unsigned megahertz = 0;
  if (call.clock != nullptr && call.clock(device_, kSmClock, &megahertz) == kSuccess) {
    sample[Quantity::sm_clock] = megahertz * kMegahertz;
  }
  if (call.clock != nullptr && call.clock(device_, kMemoryClock, &megahertz) == kSuccess) {
    sample[Quantity::memory_clock] = megahertz * kMegahertz;
  }
  const auto reasons = call.event_reasons != nullptr ? call.event_reasons : call.throttle_reasons;
  unsigned long long bits = 0;
  if (reasons != nullptr && reasons(device_, &bits) == kSuccess) {
    sample[Quantity::throttle_reasons] = static_cast<double>(bits);
  }
}

void GpuReader::read_gpm(GpuSample& sample) {
  if (gpm_first_ == nullptr) return;
  const Functions& call = library_->call();
  if (gpm_time_us_ == 0) {
    if (call.gpm_get(device_, gpm_first_) == kSuccess) gpm_time_us_ = sample.time_us;
    return;
  }
  if (sample.time_us - gpm_time_us_ < kGpmPeriodUs) return;
  if (call.gpm_get(device_, gpm_second_) != kSuccess) return;
  gpm_time_us_ = sample.time_us;
  const std::pair<unsigned, std::pair<Quantity, double>> wanted[] = {
      {kGpmTensor, {Quantity::tensor_active, 1}},
      {kGpmDram, {Quantity::dram_active, 1}},
      {kGpmNvlinkSent, {Quantity::gpm_nvlink_sent, kMib}},
      {kGpmNvlinkReceived, {Quantity::gpm_nvlink_received, kMib}},
      {kGpmPcieSent, {Quantity::gpm_pcie_sent, kMib}},
      {kGpmPcieReceived, {Quantity::gpm_pcie_received, kMib}}};
  const auto metrics = std::make_unique<GpmMetrics>();
  metrics->version = kGpmVersion;
  metrics->first = gpm_first_;
  metrics->second = gpm_second_;
  for (const auto& [id, meaning] : wanted) metrics->metrics[metrics->count++].metric_id = id;
  if (call.gpm_metrics(metrics.get()) == kSuccess) {
    for (unsigned i = 0; i < metrics->count; ++i) {
      const auto& [quantity, scale] = wanted[i].second;
      if (metrics->metrics[i].code == kSuccess)
        sample[quantity] = metrics->metrics[i].value * scale;
    }
  }
  std::swap(gpm_first_, gpm_second_);
}

}  // namespace rackwright::profiler::nvml
