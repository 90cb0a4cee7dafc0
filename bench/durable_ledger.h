#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

// The ledger with its storage and no API above it.
namespace waystation::bench {

// A fresh ledger in a folder of its own: sequencer, RocksDB commits, request ids looked up, high-water mark, as the
// switch has them. A fault of the disk ends the process, as it ends the switch's.
//
// Threads: one at a time.
class DurableLedger {
 public:
  // With `stations` stations that have money; its folder is made within `work_folder`.
  static absl::StatusOr<std::unique_ptr<DurableLedger>> Open(const std::string& work_folder, size_t stations);
  ~DurableLedger();

  DurableLedger(const DurableLedger&) = delete;
  DurableLedger& operator=(const DurableLedger&) = delete;

  // Accepts and approves so many payments more, `under_way` at a time; returns once all are durable.
  void Pay(uint64_t payments, size_t under_way);

  // Stops, checks that the books balance, and tells how many legs there are to a block.
  double Close();

  // What its folder takes on the disk.
  uint64_t DiskBytes() const;

 private:
  struct Parts;
  explicit DurableLedger(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace waystation::bench
