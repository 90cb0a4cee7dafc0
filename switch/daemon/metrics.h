#pragma once

#include <vector>

#include "prometheus/metric_family.h"
#include "switch/daemon/metrics_endpoint.h"

namespace waystation::daemon {

// Every metric of the switch as it is at this moment; deploy/METRICS.md lists them. Their labels are of closed sets:
// names of enumerations, and the billers of the configuration, never a station or a customer. Any thread; no payment
// waits for it.
std::vector<prometheus::MetricFamily> CollectMetrics(const MetricsSources& sources);

}  // namespace waystation::daemon
