#include "profiler/cupti/activity_parser.hpp"

#include <cstdlib>
#include <string>

#include <cupti.h>

namespace rackwright::profiler::cupti {

namespace {

constexpr std::uint32_t kVersionsPerMajor = 10000;  // 130001 is 13.0

/// Bytes of a record that is read here; 0 for other kinds.
std::size_t size_of(const CUpti_Activity& record) {
  switch (record.kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
      return sizeof(CUpti_ActivityKernel10);
    case CUPTI_ACTIVITY_KIND_MEMCPY:
      return sizeof(CUpti_ActivityMemcpy6);
    case CUPTI_ACTIVITY_KIND_MEMCPY2:
      return sizeof(CUpti_ActivityMemcpyPtoP4);
    case CUPTI_ACTIVITY_KIND_MEMSET:
      return sizeof(CUpti_ActivityMemset4);
    case CUPTI_ACTIVITY_KIND_GRAPH_TRACE:
      return sizeof(CUpti_ActivityGraphTrace2);
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
      return sizeof(CUpti_ActivityExternalCorrelation);
    case CUPTI_ACTIVITY_KIND_ENVIRONMENT:
      return sizeof(CUpti_ActivityEnvironment);
    default:
      return 0;
  }
}

/// As nvidia-smi and NVML write it: "GPU-" and groups of 4, 2, 2, 2 and 6 bytes.
std::string uuid_text(const CUuuid& uuid) {
  std::string text = "GPU";
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 0 || (i >= 4 && i <= 10 && i % 2 == 0)) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15U];
  }
  return text;
}

template <class Id>
std::string end_text(CUpti_DevType type, const Id& id) {
  if (type == CUPTI_DEV_TYPE_GPU) return uuid_text(id.uuidDev);
  if (type == CUPTI_DEV_TYPE_NPU) return "NPU " + std::to_string(id.npu.index);
  return "an unknown device";
}

/// `bandwidth` is in kB/s.
std::string link_text(const CUpti_ActivityNvLink4& link) {
  return "NVLink " + std::to_string(link.nvlinkVersion) + ", " +
         end_text(link.typeDev0, link.idDev0) + " to " + end_text(link.typeDev1, link.idDev1) +
         ": " + std::to_string(link.physicalNvLinkCount) + " links, " +
         std::to_string(link.bandwidth / 1000000) + " GB/s" +
         (link.nvswitchConnected != 0 ? ", through a switch" : "");
}

/// Two hexadecimal digits, as lspci and nvidia-smi write it.
std::string bus_text(std::uint16_t bus) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {kDigits[bus >> 4 & 15U], kDigits[bus & 15U]};
}

std::string link_text(const CUpti_ActivityPcie& link) {
  const bool gpu = link.type == CUPTI_PCIE_DEVICE_TYPE_GPU;
  const std::string device = gpu ? uuid_text(link.attr.gpuAttr.uuidDev)
                                 : "bridge to bus " + bus_text(link.attr.bridgeAttr.secondaryBus);
  return "PCIe generation " + std::to_string(link.pcieGeneration) + ", " +
         std::to_string(link.linkWidth) + " lanes, " + device + " below bus " +
         bus_text(link.upstreamBus) + " of domain " + std::to_string(link.domain);
}

/// One record carries one kind; clocks are two readings.
void send_environment(const CUpti_ActivityEnvironment& record, ActivitySink& sink) {
  const auto send = [&](Environment what, double value) {
    sink.environment({record.timestamp, record.deviceId, what, value});
  };
  switch (record.environmentKind) {
    case CUPTI_ACTIVITY_ENVIRONMENT_POWER:  // mW
      send(Environment::power, record.data.power.power * 1e-3);
      return;
    case CUPTI_ACTIVITY_ENVIRONMENT_TEMPERATURE:
      send(Environment::temperature, record.data.temperature.gpuTemperature);
      return;
    case CUPTI_ACTIVITY_ENVIRONMENT_SPEED:  // MHz
      send(Environment::sm_clock, record.data.speed.smClock * 1e6);
      send(Environment::memory_clock, record.data.speed.memoryClock * 1e6);
      return;
    case CUPTI_ACTIVITY_ENVIRONMENT_COOLING:
      send(Environment::fan, record.data.cooling.fanSpeed);
      return;
    default:
      return;
  }
}

}  // namespace

bool same_layout() {
  std::uint32_t version = 0;
  return cuptiGetVersion(&version) == CUPTI_SUCCESS &&
         version / kVersionsPerMajor == CUPTI_API_VERSION / kVersionsPerMajor;
}

void ActivityParser::parse(std::uint8_t* buffer, std::size_t size) {
  CUpti_Activity* record = nullptr;
  CUptiResult result = CUPTI_SUCCESS;
  while ((result = cuptiActivityGetNextRecord(buffer, size, &record)) == CUPTI_SUCCESS)
    take(record);
  if (result != CUPTI_ERROR_MAX_LIMIT_REACHED) {
    ++counts_.cut_buffers;
    return;
  }
  // The library says nothing of bytes behind the last whole record.
  const std::size_t last = record == nullptr ? 0 : size_of(*record);
  const auto* end = reinterpret_cast<const std::uint8_t*>(record) + last;
  if (record == nullptr ? size > 0 : last > 0 && end != buffer + size) ++counts_.cut_buffers;
}

bool ActivityParser::timed(std::uint64_t start_ns, std::uint64_t end_ns) {
  const bool good = start_ns != 0 && end_ns >= start_ns;
  if (!good) ++counts_.untimed;
  return good;
}

void ActivityParser::take(const void* record) {
  switch (static_cast<const CUpti_Activity*>(record)->kind) {
    case CUPTI_ACTIVITY_KIND_KERNEL:
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      const auto& k = *static_cast<const CUpti_ActivityKernel10*>(record);
      ++counts_.kernels;
      if (!timed(k.start, k.end)) return;
      if (k.start < last_start_ns_) ++counts_.out_of_order;
      last_start_ns_ = k.start;
      sink_.kernel({k.start, k.end, k.deviceId, k.streamId, k.correlationId, k.graphId,
                    k.graphNodeId, k.name == nullptr ? "" : k.name});
      return;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY: {
      const auto& c = *static_cast<const CUpti_ActivityMemcpy6*>(record);
      ++counts_.copies;
      if (!timed(c.start, c.end)) return;
      sink_.copy({c.start, c.end, c.bytes, c.deviceId, c.streamId, c.correlationId, c.copyKind});
      return;
    }
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
      const auto& e = *static_cast<const CUpti_ActivityExternalCorrelation*>(record);
      ++counts_.correlations;
      sink_.correlation(e.correlationId, e.externalId);
      return;
    }
    case CUPTI_ACTIVITY_KIND_ENVIRONMENT: {
      const auto& e = *static_cast<const CUpti_ActivityEnvironment*>(record);
      ++counts_.environment;
      if (!timed(e.timestamp, e.timestamp)) return;
      send_environment(e, sink_);
      return;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY2: {
      const auto& c = *static_cast<const CUpti_ActivityMemcpyPtoP4*>(record);
      ++counts_.copies;
      if (!timed(c.start, c.end)) return;
      sink_.copy({c.start, c.end, c.bytes, c.deviceId, c.streamId, c.correlationId, c.copyKind});
      return;
    }
    case CUPTI_ACTIVITY_KIND_MEMSET: {
      const auto& m = *static_cast<const CUpti_ActivityMemset4*>(record);
      ++counts_.copies;
      if (!timed(m.start, m.end)) return;
      sink_.copy({m.start, m.end, m.bytes, m.deviceId, m.streamId, m.correlationId, 0});
      return;
    }
    case CUPTI_ACTIVITY_KIND_GRAPH_TRACE: {
      const auto& g = *static_cast<const CUpti_ActivityGraphTrace2*>(record);
      ++counts_.graphs;
      if (!timed(g.start, g.end)) return;
      sink_.graph({g.start, g.end, g.deviceId, g.streamId, g.correlationId, g.graphId});
      return;
    }
    default:
      take_context(record);
  }
}

/// What surrounds the work: calls, waiting, CUPTI's own cost, links.
void ActivityParser::take_context(const void* record) {
  const auto lasted = [](std::uint64_t start, std::uint64_t end) {
    return start != 0 && end >= start ? end - start : 0;
  };
  switch (static_cast<const CUpti_Activity*>(record)->kind) {
    case CUPTI_ACTIVITY_KIND_RUNTIME:
    case CUPTI_ACTIVITY_KIND_DRIVER:
      ++counts_.calls;
      return;
    case CUPTI_ACTIVITY_KIND_MARKER:
      ++counts_.markers;
      return;
    case CUPTI_ACTIVITY_KIND_SYNCHRONIZATION: {
      const auto& s = *static_cast<const CUpti_ActivitySynchronization2*>(record);
      ++counts_.synchronisations;
      counts_.synchronisation_ns += lasted(s.start, s.end);
      return;
    }
    case CUPTI_ACTIVITY_KIND_OVERHEAD: {
      const auto& o = *static_cast<const CUpti_ActivityOverhead3*>(record);
      ++counts_.overheads;
      counts_.overhead_ns += lasted(o.start, o.end);
      std::free(o.overheadData);  // the reader's to free
      return;
    }
    case CUPTI_ACTIVITY_KIND_NVLINK:
      ++counts_.links;
      sink_.link(link_text(*static_cast<const CUpti_ActivityNvLink4*>(record)));
      return;
    case CUPTI_ACTIVITY_KIND_PCIE:
      ++counts_.links;
      sink_.link(link_text(*static_cast<const CUpti_ActivityPcie*>(record)));
      return;
    default:
      ++counts_.unknown;
  }
}

}  // namespace rackwright::profiler::cupti
