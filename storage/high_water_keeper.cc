#include "storage/high_water_keeper.h"

#include <pthread.h>

#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::storage {

HighWaterKeeper::HighWaterKeeper(HighWater* mark, std::chrono::milliseconds interval,
                                 std::function<void(const std::string&)> on_fatal)
    : mark_(mark), interval_(interval), on_fatal_(std::move(on_fatal)) {}

HighWaterKeeper::~HighWaterKeeper() {
  WS_CHECK(!thread_.joinable(), "Stop comes before the end");
}

void HighWaterKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "high water");
}

void HighWaterKeeper::Note(const ChainPosition& position) {
  std::unique_lock lock(mutex_);
  noted_ = position;
  unwritten_ = true;
  // A thread that is at work, or has just written, looks by itself when the interval is over.
  const bool wake = std::exchange(idle_, false);
  lock.unlock();
  if (wake) wake_.notify_one();
}

void HighWaterKeeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void HighWaterKeeper::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    idle_ = !unwritten_;
    wake_.wait(lock, [this] { return unwritten_ || stopping_; });
    idle_ = false;
    if (!unwritten_) return;
    const ChainPosition position = noted_;
    unwritten_ = false;
    lock.unlock();
    const absl::Status written = mark_->Write(position);
    if (!written.ok()) {
      on_fatal_(fmt::format("the high-water mark at leg {} can't be written: {}", position.last_sequence,
                            std::string(written.message())));
      return;
    }
    lock.lock();
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

}  // namespace waystation::storage
