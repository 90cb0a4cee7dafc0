#include "adapters/iso8583/link_thread.h"

#include <mutex>

namespace waystation::adapters::iso8583 {

std::shared_ptr<LinkThread> LinkThread::Share() {
  static std::mutex mutex;
  static std::weak_ptr<LinkThread> shared;
  const std::lock_guard lock(mutex);
  std::shared_ptr<LinkThread> thread = shared.lock();
  if (!thread) {
    thread.reset(new LinkThread());
    shared = thread;
  }
  return thread;
}

LinkThread::LinkThread() : work_(boost::asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {
  pthread_setname_np(thread_.native_handle(), "iso8583 link");
}

LinkThread::~LinkThread() {
  io_.stop();
  thread_.join();
}

}  // namespace waystation::adapters::iso8583
