// Any bytes where a stored block should be: refused, or a block that is read back the same once it is sealed again.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/block.h"
#include "tests/fuzz/block_round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using waystation::storage::ChainPosition;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  waystation::storage::CheckBlockRoundTrip(bytes);
  ChainPosition position;
  const bool follows = waystation::storage::OpenNextBlock(bytes, &position).ok();
  WS_CHECK(follows || position.last_sequence == 0, "a refused block leaves the chain where it was");
  return 0;
}
