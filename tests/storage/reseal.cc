#include "tests/storage/reseal.h"

#include "storage/sha256.h"
#include "switch/core/check.h"

namespace waystation::storage {

std::string SealBytes(std::string_view block) {
  journal::v1::SealedBlock sealed;
  sealed.set_block(std::string(block));
  sealed.set_sha256(std::string(AsText(Sha256(block))));
  return sealed.SerializeAsString();
}

std::string Reseal(std::string_view sealed_block, absl::FunctionRef<void(journal::v1::Block*)> change) {
  journal::v1::SealedBlock sealed;
  journal::v1::Block block;
  WS_CHECK(sealed.ParseFromArray(sealed_block.data(), static_cast<int>(sealed_block.size())) &&
               block.ParseFromString(sealed.block()),
           "only a sound block is resealed");
  change(&block);
  return SealBytes(block.SerializeAsString());
}

}  // namespace waystation::storage
