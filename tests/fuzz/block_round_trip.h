#pragma once

#include <string_view>

#include "storage/block.h"
#include "switch/core/check.h"
#include "tests/storage/stored_forms.h"

namespace waystation::storage {

// A block that opens gives the same legs when they are sealed and opened again; anything else is refused as damage, or
// as of a newer format.
inline void CheckBlockRoundTrip(std::string_view sealed_block) {
  const absl::StatusOr<OpenedBlock> first = OpenBlock(sealed_block);
  if (!first.ok()) {
    WS_CHECK(absl::IsDataLoss(first.status()) || absl::IsUnimplemented(first.status()), "refused for another cause");
    WS_CHECK(!first.status().message().empty(), "a refusal says why");
    return;
  }
  ChainPosition position{.last_sequence = first->header.first_sequence() - 1, .sha256 = {}, .time = {}};
  BlockBuilder builder;
  builder.Start(position, first->stamp);
  for (const core::Leg& leg : first->legs) builder.Add(leg);
  SealedBlock sealed;
  builder.Seal(&position, &sealed);
  const absl::StatusOr<OpenedBlock> second = OpenBlock(sealed.bytes);
  WS_CHECK(second.ok() && second->legs.size() == first->legs.size(), "what was read can be written and read again");
  for (size_t i = 0; i < first->legs.size(); ++i) {
    WS_CHECK(second->legs[i].sequence == first->legs[i].sequence, "legs keep their numbers");
    WS_CHECK(Same(second->legs[i].fact, first->legs[i].fact), "legs keep their facts");
  }
}

}  // namespace waystation::storage
