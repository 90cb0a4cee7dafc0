#include "switch/daemon/last_words.h"

#include <signal.h>
#include <unistd.h>

#include <array>

#include "fmt/format.h"

namespace waystation::daemon {
namespace {

// Made beforehand: in the handler nothing may be allocated. Room for a path of PATH_MAX, twice.
std::array<char, 10'000> words;
size_t words_size = 0;

// Only what is safe in a signal handler. Its disposition is the default one again when this is called, and the signal
// is blocked until it returns: raised once more, it ends the process then.
void SayLastWords(int signal) {
  for (size_t said = 0; said < words_size;) {
    const ssize_t written = write(STDERR_FILENO, words.data() + said, words_size - said);
    if (written <= 0) break;
    said += static_cast<size_t>(written);
  }
  raise(signal);
}

}  // namespace

void PrepareLastWords(const std::string& data_folder) {
  const auto made = fmt::format_to_n(
      words.data(), words.size(),
      "switchd: stopped on a fault that it could not go on from; the lines above say which. An assertion of RocksDB "
      "(WritableFileWriter, DBImpl, ...) there most often means that the disk did not take a write. Answers that were "
      "given are safe in {0}, those in progress will be found out after a restart. Look at the lines above and the "
      "kernel's log (dmesg), see that the disk of {0} has space and works, then start switchd again\n",
      data_folder);
  words_size = made.size < words.size() ? made.size : words.size();
  struct sigaction last = {};
  last.sa_handler = &SayLastWords;
  last.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&last.sa_mask);
  sigaction(SIGABRT, &last, nullptr);
  signal(SIGXFSZ, SIG_IGN);
}

}  // namespace waystation::daemon
