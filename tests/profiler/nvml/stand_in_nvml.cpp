// A stand-in for libnvidia-ml.so.1, built under that name and opened by the product as the real one
// is. What it answers is scripted by environment variables, read anew in every nvmlInit_v2:
//
//   RW_NVML_INIT          code of nvmlInit_v2
//   RW_NVML_GPUS          number of GPUs (2)
//   RW_NVML_STEP_US       virtual time that passes with every round; real time when absent
//   RW_NVML_WATTS         power of GPU 0 (500); GPU i draws 10 W more than GPU i-1
//   RW_NVML_LOG           CSV "seconds,watts": power of GPU 0 by time, held until the next row; in
//                         real time it starts with nvmlInit_v2
//   RW_NVML_NAME          name of the GPUs ("Stand-in H100")
//   RW_NVML_UNSUPPORTED   comma list of field ids that answer NOT_SUPPORTED; "all" for every one
//   RW_NVML_FROZEN        the energy counter stands still
//   RW_NVML_ENERGY_FACTOR the energy counter counts this much of the power (1)
//   RW_NVML_LOST_AFTER    GPU 1 is lost after this many rounds
//   RW_NVML_SLOW_MS       every reading of fields takes this long
//   RW_NVML_OLD_STRUCTS   version 3 of the fabric struct is refused with 25
//   RW_NVML_MIG           MIG is on
//   RW_NVML_NVLINK        4 or 5: generation of the links; absent: none
//
// Compiled with RW_NVML_OLD_DRIVER it lacks everything that came after the first drivers, with
// RW_NVML_BROKEN even what every driver has.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "profiler/nvml/nvml_abi.hpp"

namespace {

using namespace rackwright::profiler::nvml;

constexpr double kCounterStepS = 0.1;
constexpr long long kEpochUs = 1'700'000'000'000'000;

struct LogRow {
  double seconds, watts;
};

struct Gpu {
  long long rounds = 0;
  double energy_j = 0;
  double integrated_to_s = 0;
};

struct State {
  std::vector<Gpu> gpus;
  std::vector<LogRow> log;
  std::string unsupported;
  long long begin_us = kEpochUs;
  double step_us = 0, watts = 500, energy_factor = 1;
  bool frozen = false, old_structs = false;
  int lost_after = -1, slow_ms = 0, nvlink = 0;
};

State state;

double number(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtod(text, nullptr);
}

long long now_us(const Gpu& gpu) {
  if (state.step_us > 0)
    return kEpochUs + static_cast<long long>(static_cast<double>(gpu.rounds) * state.step_us);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

double seconds_of(const Gpu& gpu) {
  return static_cast<double>(now_us(gpu) - state.begin_us) * 1e-6;
}

double watts_at(std::size_t index, double seconds) {
  if (state.log.empty()) return state.watts + 10.0 * static_cast<double>(index);
  const auto next = std::upper_bound(state.log.begin(), state.log.end(), seconds,
                                     [](double s, const LogRow& row) { return s < row.seconds; });
  return next == state.log.begin() ? state.log.front().watts : std::prev(next)->watts;
}

/// Adds the energy up to the last whole step of the counter.
void integrate(std::size_t index, double seconds) {
  Gpu& gpu = state.gpus[index];
  while (gpu.integrated_to_s + kCounterStepS <= seconds) {
    for (int i = 0; i < 100; ++i) {
      gpu.energy_j += state.energy_factor * kCounterStepS / 100 *
                      watts_at(index, gpu.integrated_to_s + (i + 0.5) * kCounterStepS / 100);
    }
    gpu.integrated_to_s += kCounterStepS;
  }
}

bool unsupported(unsigned field) {
  if (state.unsupported == "all") return true;
  return ("," + state.unsupported + ",").find("," + std::to_string(field) + ",") !=
         std::string::npos;
}

std::size_t index_of(Device device) {
  return reinterpret_cast<std::size_t>(device) - 1;
}

bool lost(std::size_t index) {
  return index == 1 && state.lost_after >= 0 && state.gpus[index].rounds > state.lost_after;
}

void put(FieldValue& field, unsigned long long value) {
  field.value_type = kUnsignedLongLong;
  field.value.ull = value;
}
void put_unsigned(FieldValue& field, double value) {
  field.value_type = kUnsigned;
  field.value.u = static_cast<unsigned>(std::lround(value));
}

int answer(std::size_t index, FieldValue& field) {
  Gpu& gpu = state.gpus[index];
  const double s = seconds_of(gpu);
  const double watts = watts_at(index, s);
  field.timestamp_us = now_us(gpu);
  field.latency_us = 1000LL * state.slow_ms;
  if (unsupported(field.field_id)) return kNotSupported;
  switch (field.field_id) {
    case kFieldPowerInstant:
    case kFieldPowerAverage:
      put_unsigned(field, 1e3 * watts * (field.scope_id == kScopeMemory ? 0.25 : 1) +
                              (field.scope_id == kScopeModule ? 1e5 : 0));
      return kSuccess;
    case kFieldEnergy:
      if (!state.frozen) integrate(index, s);
      put(field, static_cast<unsigned long long>(gpu.energy_j * 1e3));
      return kSuccess;
    case kFieldMemoryTemperature:
      put_unsigned(field, 71);
      return kSuccess;
    case kFieldPowerCapTime:
      put(field, 2'500'000'000ULL);
      return kSuccess;
    case kFieldLimitFirst + 1:
      field.value_type = kInt;
      field.value.i = -2;
      return kSuccess;
    case kFieldPcieSentBytes:
      put(field, 1000 * static_cast<unsigned long long>(gpu.rounds));
      return kSuccess;
    case kFieldNvlinkCount:
      put_unsigned(field, state.nvlink == 0 ? 0 : 18);
      return kSuccess;
    case kFieldNvlinkSentKib:
      if (state.nvlink != 4 || field.scope_id != kAllLinks) return kNotSupported;
      put(field, 2 * static_cast<unsigned long long>(gpu.rounds));
      return kSuccess;
    case kFieldNvlinkSentBytes:
      if (state.nvlink != 5 || field.scope_id >= 18) return kNotSupported;
      put(field, 100 * static_cast<unsigned long long>(gpu.rounds));
      return kSuccess;
    case kFieldEdppMultiplier:
      put_unsigned(field, 150);
      return kSuccess;
    case kFieldSmoothingFirst:
      put_unsigned(field, 1);
      return kSuccess;
    default:
      return kNotSupported;
  }
}

void read_log(const char* file) {
  std::ifstream in(file);
  LogRow row{};
  char comma = 0;
  while (in >> row.seconds >> comma >> row.watts) state.log.push_back(row);
}

}  // namespace

extern "C" {

#ifndef RW_NVML_BROKEN

int nvmlInit_v2() {
  state = {};
  state.gpus.resize(static_cast<std::size_t>(number("RW_NVML_GPUS", 2)));
  state.step_us = number("RW_NVML_STEP_US", 0);
  state.watts = number("RW_NVML_WATTS", 500);
  state.energy_factor = number("RW_NVML_ENERGY_FACTOR", 1);
  state.frozen = number("RW_NVML_FROZEN", 0) != 0;
  state.old_structs = number("RW_NVML_OLD_STRUCTS", 0) != 0;
  state.lost_after = static_cast<int>(number("RW_NVML_LOST_AFTER", -1));
  state.slow_ms = static_cast<int>(number("RW_NVML_SLOW_MS", 0));
  state.nvlink = static_cast<int>(number("RW_NVML_NVLINK", 0));
  if (const char* fields = std::getenv("RW_NVML_UNSUPPORTED")) state.unsupported = fields;
  if (const char* file = std::getenv("RW_NVML_LOG")) read_log(file);
  if (!(state.step_us > 0)) state.begin_us = now_us({});
  for (Gpu& gpu : state.gpus) gpu.integrated_to_s = seconds_of(gpu);
  return static_cast<int>(number("RW_NVML_INIT", 0));
}
int nvmlShutdown() {
  return kSuccess;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(state.gpus.size());
  return kSuccess;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  if (index >= state.gpus.size()) return kInvalidArgument;
  *device = reinterpret_cast<Device>(static_cast<std::size_t>(index) + 1);
  return kSuccess;
}
const char* nvmlErrorString(int code) {
  return code == kDriverNotLoaded ? "Driver Not Loaded" : "scripted error";
}
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  std::snprintf(text, size, "580.00-stand-in");
  return kSuccess;
}
int nvmlDeviceGetName(Device, char* text, unsigned size) {
  const char* name = std::getenv("RW_NVML_NAME");
  std::snprintf(text, size, "%s", name == nullptr ? "Stand-in H100" : name);
  return kSuccess;
}
int nvmlDeviceGetUUID(Device device, char* text, unsigned size) {
  std::snprintf(text, size, "GPU-%zu", index_of(device));
  return kSuccess;
}
int nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) {
  std::snprintf(info->bus_id, sizeof info->bus_id, "00000000:%02zX:00.0",
                0x1B + 0x20 * index_of(device));
  return kSuccess;
}
int nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  const std::size_t index = index_of(device);
  if (state.unsupported == "all") return kNotSupported;
  *milliwatts = static_cast<unsigned>(1e3 * watts_at(index, seconds_of(state.gpus[index])));
  return kSuccess;
}

#ifndef RW_NVML_OLD_DRIVER

int nvmlDeviceGetCudaComputeCapability(Device, int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return kSuccess;
}
int nvmlDeviceGetFieldValues(Device device, int count, FieldValue* fields) {
  const std::size_t index = index_of(device);
  if (lost(index)) return kGpuIsLost;
  if (state.slow_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(state.slow_ms));
  for (int i = 0; i < count; ++i) fields[i].code = answer(index, fields[i]);
  if (count > 1) ++state.gpus[index].rounds;
  return kSuccess;
}
int nvmlDeviceGetTemperatureV(Device, Temperature* temperature) {
  if (temperature->version != kTemperatureVersion) return kArgumentVersionMismatch;
  temperature->degrees_c = 63;
  return kSuccess;
}
int nvmlDeviceGetMarginTemperature(Device, MarginTemperature* margin) {
  if (margin->version != kMarginTemperatureVersion) return kArgumentVersionMismatch;
  margin->degrees_c = 24;
  return kSuccess;
}
int nvmlDeviceGetClockInfo(Device, int clock, unsigned* megahertz) {
  *megahertz = clock == 1 ? 1980 : 2619;
  return kSuccess;
}
int nvmlDeviceGetCurrentClocksEventReasons(Device, unsigned long long* reasons) {
  *reasons = 0x4;
  return kSuccess;
}
int nvmlDeviceGetGpuFabricInfoV(Device, FabricInfo* info) {
  if (state.old_structs && info->version == kFabricInfoVersion3) return kArgumentVersionMismatch;
  info->cluster_uuid[0] = 0xab;
  info->clique = 7;
  info->state = kFabricCompleted;
  return kSuccess;
}
int nvmlDeviceGetPlatformInfo(Device device, PlatformInfo* info) {
  if (info->version != kPlatformInfoVersion) return kArgumentVersionMismatch;
  std::strcpy(reinterpret_cast<char*>(info->chassis_serial), "1820224");
  info->slot = 26;
  info->tray = 16;
  info->host = 1;
  info->module = static_cast<unsigned char>(index_of(device) + 1);
  return kSuccess;
}
int nvmlDeviceGetEnforcedPowerLimit(Device, unsigned* milliwatts) {
  *milliwatts = 700000;
  return kSuccess;
}
int nvmlDeviceGetMigMode(Device, unsigned* now, unsigned* pending) {
  *now = *pending = std::getenv("RW_NVML_MIG") != nullptr ? 1 : 0;
  return kSuccess;
}
int nvmlDeviceGetPersistenceMode(Device, int* mode) {
  *mode = 1;
  return kSuccess;
}
int nvmlDeviceGetP2PStatus(Device, Device, int, int* status) {
  *status = kSuccess;
  return kSuccess;
}
int nvmlGpmQueryDeviceSupport(Device, GpmSupport* support) {
  support->supported = state.step_us > 0 ? 1 : 0;
  return kSuccess;
}
int nvmlGpmSampleAlloc(GpmSample* sample) {
  *sample = std::malloc(8);
  return kSuccess;
}
int nvmlGpmSampleFree(GpmSample sample) {
  std::free(sample);
  return kSuccess;
}
int nvmlGpmSampleGet(Device, GpmSample) {
  return kSuccess;
}
int nvmlGpmMetricsGet(GpmMetrics* metrics) {
  if (metrics->version != kGpmVersion || metrics->first == metrics->second) return kInvalidArgument;
  for (unsigned i = 0; i < metrics->count; ++i) {
    GpmMetric& metric = metrics->metrics[i];
    metric.code = metric.metric_id == kGpmDram ? kNotSupported : kSuccess;
    metric.value = 10.0 * metric.metric_id;
  }
  return kSuccess;
}

#endif
#endif

}  // extern "C"
