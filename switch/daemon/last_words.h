#pragma once

#include <string>

#include "switch/daemon/async_log.h"

namespace waystation::daemon {

// From now on a process that aborts says at the end that what was answered is safe in `data_folder` and what to do
// next: as a line of `log`, once the lines before it are written, and on stderr, where that is another place. An
// assertion inside RocksDB ends it so when the disk does not take a write, before switchd can say so itself; a broken
// invariant of our own does too. The process then ends by SIGABRT as it would have.
//
// A write beyond the limit on file sizes becomes an error from now on, as on a full disk, and no longer ends the
// process.
//
// Once, before other threads start but the log's, which is never taken down.
void PrepareLastWords(const std::string& data_folder, const AsyncLog* log);

}  // namespace waystation::daemon
