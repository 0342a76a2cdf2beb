#pragma once

#include <cstddef>
#include <cstdint>

/// The part of NVML's C interface that is used, declared here so that no nvml.h is needed to build.
/// Layouts are those of x86-64 and aarch64 Linux; a version word is sizeof(struct) | version << 24.
namespace rackwright::profiler::nvml {

using Device = void*;
using GpmSample = void*;

enum Code : int {
  kSuccess = 0,
  kUninitialised = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kDriverNotLoaded = 9,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kLibraryVersionMismatch = 18,
  kInsufficientResources = 23,
  kArgumentVersionMismatch = 25,
  kUnknown = 999
};

/// Field ids of nvmlDeviceGetFieldValues.
enum Field : unsigned {
  kFieldPowerCapTime = 74,  ///< ns in which the software power cap held the clocks down
  kFieldMemoryTemperature = 82,
  kFieldEnergy = 83,  ///< mJ since the driver was loaded
  kFieldNvlinkCount = 91,
  kFieldNvlinkSentKib = 138,  ///< NVLink up to 4; scope: link, or all ones for the sum
  kFieldNvlinkReceivedKib = 139,
  kFieldPowerAverage = 185,  ///< mW
  kFieldPowerInstant = 186,  ///< mW
  kFieldLimitFirst = 193,    ///< T.Limit, degC: shutdown, slowdown, memory, GPU maximum: 193 to 196
  kFieldLimitLast = 196,
  kFieldPcieSentBytes = 197,
  kFieldPcieReceivedBytes = 198,
  kFieldNvlinkSentBytes = 202,  ///< NVLink 5; scope: link
  kFieldNvlinkReceivedBytes = 204,
  kFieldSmoothingFirst = 251,  ///< power smoothing: 251 to 268
  kFieldSmoothingLast = 268,
  kFieldEdppMultiplier = 274  ///< %
};

/// Scope of a power field.
enum PowerScope : unsigned { kScopeGpu = 0, kScopeModule = 1, kScopeMemory = 2 };
inline constexpr unsigned kAllLinks = 0xffffffffU;

enum ValueType : int {
  kDouble = 0,
  kUnsigned = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kLongLong = 4,
  kInt = 5,
  kUnsignedShort = 6
};

struct FieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp_us;  ///< since 1970
  long long latency_us;
  int value_type;
  int code;
  union {
    double d;
    unsigned u;
    unsigned long ul;
    unsigned long long ull;
    long long ll;
    int i;
    unsigned short us;
  } value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, timestamp_us) == 8 &&
              offsetof(FieldValue, latency_us) == 16 && offsetof(FieldValue, value_type) == 24 &&
              offsetof(FieldValue, code) == 28 && offsetof(FieldValue, value) == 32);

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, bus_id) == 36);

struct Temperature {
  unsigned version;
  int sensor;
  int degrees_c;
};
static_assert(sizeof(Temperature) == 12);
inline constexpr unsigned kTemperatureVersion = 0x0100000C;

struct MarginTemperature {
  unsigned version;
  int degrees_c;
};
static_assert(sizeof(MarginTemperature) == 8);
inline constexpr unsigned kMarginTemperatureVersion = 0x01000008;

struct PlatformInfo {
  unsigned version;
  unsigned char ib_guid[16];
  unsigned char chassis_serial[16];
  unsigned char slot, tray, host, peer_type, module;
};
static_assert(sizeof(PlatformInfo) == 44 && offsetof(PlatformInfo, slot) == 36);
inline constexpr unsigned kPlatformInfoVersion = 0x0200002C;

struct FabricInfo {
  unsigned version;
  unsigned char cluster_uuid[16];
  int status;
  unsigned clique;
  unsigned char state;
  unsigned health_mask;
  unsigned char health_summary;
};
static_assert(sizeof(FabricInfo) == 40 && offsetof(FabricInfo, clique) == 24 &&
              offsetof(FabricInfo, state) == 28 && offsetof(FabricInfo, health_mask) == 32);
inline constexpr unsigned kFabricInfoVersion3 = 0x03000028;
inline constexpr unsigned kFabricInfoVersion2 = 0x02000024;
inline constexpr unsigned char kFabricCompleted = 3;

struct GpmMetric {
  unsigned metric_id;
  int code;
  double value;
  char* names[3];
};
static_assert(sizeof(GpmMetric) == 40 && offsetof(GpmMetric, value) == 8);

/// The newest header has 333 metrics; older libraries use fewer of them.
struct GpmMetrics {
  unsigned version;
  unsigned count;
  GpmSample first, second;
  GpmMetric metrics[333];
};
static_assert(offsetof(GpmMetrics, metrics) == 24 && sizeof(GpmMetrics) == 13344);

struct GpmSupport {
  unsigned version;
  unsigned supported;
};
static_assert(sizeof(GpmSupport) == 8);
inline constexpr unsigned kGpmVersion = 1;

enum GpmMetricId : unsigned {
  kGpmTensor = 5,     ///< %
  kGpmDram = 10,      ///< % of the peak rate
  kGpmPcieSent = 20,  ///< MiB/s
  kGpmPcieReceived = 21,
  kGpmNvlinkReceived = 60,  ///< MiB/s, all links
  kGpmNvlinkSent = 61
};

/// Every function by its versioned name; null where the library lacks it. Only the first four are
/// needed to be of use.
struct Functions {
  int (*init)();
  int (*shutdown)();
  int (*device_count)(unsigned*);
  int (*device_by_index)(unsigned, Device*);
  const char* (*error_string)(int);
  int (*driver_version)(char*, unsigned);
  int (*library_version)(char*, unsigned);
  int (*device_by_pci_bus_id)(const char*, Device*);
  int (*uuid)(Device, char*, unsigned);
  int (*name)(Device, char*, unsigned);
  int (*pci_info)(Device, PciInfo*);
  int (*compute_capability)(Device, int*, int*);
  int (*power_usage)(Device, unsigned*);
  int (*total_energy)(Device, unsigned long long*);
  int (*power_limit)(Device, unsigned*);
  int (*field_values)(Device, int, FieldValue*);
  int (*temperature_v)(Device, Temperature*);
  int (*temperature)(Device, int, unsigned*);
  int (*margin_temperature)(Device, MarginTemperature*);
  int (*clock)(Device, int, unsigned*);
  int (*event_reasons)(Device, unsigned long long*);
  int (*throttle_reasons)(Device, unsigned long long*);
  int (*fabric_info)(Device, FabricInfo*);
  int (*platform_info)(Device, PlatformInfo*);
  int (*module_id)(Device, unsigned*);
  int (*mig_mode)(Device, unsigned*, unsigned*);
  int (*persistence_mode)(Device, int*);
  int (*p2p_status)(Device, Device, int, int*);
  int (*gpm_support)(Device, GpmSupport*);
  int (*gpm_alloc)(GpmSample*);
  int (*gpm_free)(GpmSample);
  int (*gpm_get)(Device, GpmSample);
  int (*gpm_metrics)(GpmMetrics*);
};

}  // namespace rackwright::profiler::nvml
