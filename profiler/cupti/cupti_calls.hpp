#pragma once

#include <cupti.h>

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

}  // namespace rackwright::profiler::cupti
