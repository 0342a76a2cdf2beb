#pragma once

#include <cupti.h>
#include <cupti_pmsampling.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_target.h>

namespace rackwright::profiler::cupti {

/// The calls of CUPTI that a session makes, so that their order is tested without a GPU.
struct CuptiCalls {
  decltype(&cuptiGetVersion) version = cuptiGetVersion;
  decltype(&cuptiSubscribe_v2) subscribe = cuptiSubscribe_v2;
  decltype(&cuptiUnsubscribe) unsubscribe = cuptiUnsubscribe;
  decltype(&cuptiActivitySetAttribute) set_attribute = cuptiActivitySetAttribute;
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks = cuptiActivityRegisterCallbacks;
  decltype(&cuptiActivityEnable) enable = cuptiActivityEnable;
  decltype(&cuptiActivityDisable) disable = cuptiActivityDisable;
  decltype(&cuptiActivityFlushAll) flush = cuptiActivityFlushAll;
  decltype(&cuptiActivityFlushPeriod) flush_period = cuptiActivityFlushPeriod;
  decltype(&cuptiActivityGetNumDroppedRecords) dropped = cuptiActivityGetNumDroppedRecords;
  decltype(&cuptiActivityPushExternalCorrelationId) push = cuptiActivityPushExternalCorrelationId;
  decltype(&cuptiActivityPopExternalCorrelationId) pop = cuptiActivityPopExternalCorrelationId;
};

/// The calls that sampling of counters makes on a device, and those that read what it took.
/// Choosing metrics needs no device and is always the library's.
struct PmCalls {
  decltype(&cuptiProfilerInitialize) initialise = cuptiProfilerInitialize;
  decltype(&cuptiProfilerDeviceSupported) supported = cuptiProfilerDeviceSupported;
  decltype(&cuptiDeviceGetChipName) chip = cuptiDeviceGetChipName;
  decltype(&cuptiPmSamplingGetCounterAvailability) availability =
      cuptiPmSamplingGetCounterAvailability;
  decltype(&cuptiPmSamplingEnable) enable = cuptiPmSamplingEnable;
  decltype(&cuptiPmSamplingDisable) disable = cuptiPmSamplingDisable;
  decltype(&cuptiPmSamplingSetConfig) set_config = cuptiPmSamplingSetConfig;
  decltype(&cuptiPmSamplingGetCounterDataSize) data_size = cuptiPmSamplingGetCounterDataSize;
  decltype(&cuptiPmSamplingCounterDataImageInitialize) make_image =
      cuptiPmSamplingCounterDataImageInitialize;
  decltype(&cuptiPmSamplingStart) start = cuptiPmSamplingStart;
  decltype(&cuptiPmSamplingStop) stop = cuptiPmSamplingStop;
  decltype(&cuptiPmSamplingDecodeData) decode = cuptiPmSamplingDecodeData;
  decltype(&cuptiPmSamplingGetCounterDataInfo) data_info = cuptiPmSamplingGetCounterDataInfo;
  decltype(&cuptiPmSamplingCounterDataGetSampleInfo) sample_info =
      cuptiPmSamplingCounterDataGetSampleInfo;
  decltype(&cuptiProfilerHostEvaluateToGpuValues) values = cuptiProfilerHostEvaluateToGpuValues;
};

}  // namespace rackwright::profiler::cupti
