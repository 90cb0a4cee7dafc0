#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "switch/flow/biller_lane.h"

namespace waystation::flow {

// Which lane leads to which biller. Filled at start-up, constant from then on; any thread may read.
class Router {
 public:
  void Add(std::unique_ptr<BillerLane> lane) {
    const std::string biller_id = lane->biller_id();
    lanes_.emplace(biller_id, std::move(lane));
  }

  // Null for a biller that is not configured.
  BillerLane* Find(std::string_view biller_id) const {
    auto it = lanes_.find(biller_id);
    return it == lanes_.end() ? nullptr : it->second.get();
  }

  // In order of biller id.
  const std::map<std::string, std::unique_ptr<BillerLane>, std::less<>>& lanes() const { return lanes_; }

 private:
  std::map<std::string, std::unique_ptr<BillerLane>, std::less<>> lanes_;
};

}  // namespace waystation::flow
