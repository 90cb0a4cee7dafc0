#include "switch/daemon/last_words.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "fmt/format.h"
#include "switch/core/limits.h"

namespace waystation::daemon {
namespace {

// Made beforehand: in the handler nothing may be allocated. Room for a path of PATH_MAX, twice.
struct Words {
  int file = STDERR_FILENO;
  std::array<char, 10'000> text;
  size_t size = 0;
};
Words to_log;
Words to_stderr;  // nothing, where the log goes there
const AsyncLog* log_of_process = nullptr;

// Where a line of JSON has its time, with the digits that are put in at the end.
constexpr std::string_view kJsonBeginning = R"({"time":")";
constexpr std::string_view kNoTime = "0000-00-00T00:00:00.000Z";

void PutDigits(unsigned value, size_t digits, char* at) {
  for (; digits > 0; --digits, value /= 10) at[digits - 1] = static_cast<char>('0' + value % 10);
}

// The present time in place of kNoTime at `at`.
void PutTime(char* at) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::chrono::sys_seconds seconds{std::chrono::seconds(now.tv_sec)};
  const auto midnight = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(seconds - midnight);
  PutDigits(static_cast<unsigned>(static_cast<int>(date.year())), 4, at);
  PutDigits(static_cast<unsigned>(date.month()), 2, at + 5);
  PutDigits(static_cast<unsigned>(date.day()), 2, at + 8);
  PutDigits(static_cast<unsigned>(time.hours().count()), 2, at + 11);
  PutDigits(static_cast<unsigned>(time.minutes().count()), 2, at + 14);
  PutDigits(static_cast<unsigned>(time.seconds().count()), 2, at + 17);
  PutDigits(static_cast<unsigned>(now.tv_nsec / 1'000'000), 3, at + 20);
}

void Say(const Words& words) {
  for (size_t said = 0; said < words.size;) {
    const ssize_t written = write(words.file, words.text.data() + said, words.size - said);
    if (written <= 0) break;
    said += static_cast<size_t>(written);
  }
}

// Only what is safe in a signal handler. Its disposition is the default one again when this is called, and the signal
// is blocked until it returns: raised once more, it ends the process then.
void SayLastWords(int signal) {
  log_of_process->WaitUntilWritten(core::kLogAbortLimit);
  if (log_of_process->is_json()) PutTime(to_log.text.data() + kJsonBeginning.size());
  Say(to_log);
  Say(to_stderr);
  raise(signal);
}

void Prepare(const std::string& text, Words* words) {
  words->size = text.copy(words->text.data(), words->text.size());
}

}  // namespace

void PrepareLastWords(const std::string& data_folder, const AsyncLog* log) {
  const std::string said = fmt::format(
      "stopped on a fault that it could not go on from; the lines above say which. An assertion of RocksDB "
      "(WritableFileWriter, DBImpl, ...) there most often means that the disk did not take a write. Answers that were "
      "given are safe in {0}, those in progress will be found out after a restart. Look at the lines above and the "
      "kernel's log (dmesg), see that the disk of {0} has space and works, then start switchd again",
      data_folder);
  const std::string text = fmt::format("switchd: {}\n", said);
  log_of_process = log;
  to_log.file = log->file();
  if (log->is_json()) {
    Prepare(
        fmt::format("{}{}\",\"level\":\"critical\",{}}}\n", kJsonBeginning, kNoTime, LineMembers("switchd", said, {})),
        &to_log);
  } else {
    Prepare(text, &to_log);
  }
  if (to_log.file != STDERR_FILENO) Prepare(text, &to_stderr);
  struct sigaction last = {};
  last.sa_handler = &SayLastWords;
  last.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&last.sa_mask);
  sigaction(SIGABRT, &last, nullptr);
  signal(SIGXFSZ, SIG_IGN);
}

}  // namespace waystation::daemon
