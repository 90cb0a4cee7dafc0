#pragma once

#include <rocksdb/status.h>

#include <string>

#include "absl/status/status.h"

// What RocksDB's errors mean to whoever operates the switch.
namespace waystation::storage {

// A read of an open database. kDataLoss: what is stored is damaged, or a file of it is gone; it will not get better by
// itself. kUnavailable: the disk did not give it; the next read may succeed. OK for OK.
absl::Status ReadStatus(const rocksdb::Status& status);

// Why the database in `folder` could not be opened; the message names folder and fault, and says what to do next.
//   kFailedPrecondition  another process has it open, or `folder` can't be a folder
//   kPermissionDenied    this process may not read or write there
//   kResourceExhausted   no space, or a limit on the size of files
//   kNotFound            no database stands there, and none can be made
//   kUnimplemented       it was written by a newer program
//   kDataLoss            it is damaged, or a file of it is gone
//   kUnavailable         the disk failed
absl::Status OpenError(const std::string& folder, const rocksdb::Status& status);

}  // namespace waystation::storage
