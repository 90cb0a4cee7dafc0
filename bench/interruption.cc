#include "bench/interruption.h"

#include <atomic>
#include <csignal>

namespace waystation::bench {

namespace {

std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void Note(int) {
  g_interrupted.store(true);
}

}  // namespace

void NoteInterruptions() {
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() {
  return g_interrupted.load();
}

}  // namespace waystation::bench
