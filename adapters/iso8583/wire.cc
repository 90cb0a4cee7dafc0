#include "adapters/iso8583/wire.h"

#include <utility>

#include "adapters/iso8583/frame.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/error.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/write.hpp"

namespace waystation::adapters::iso8583 {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

void Wire::Start(Events events) {
  events_ = std::move(events);
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  Read();
  Kick();
}

void Wire::Kick() {
  if (ended_ || writing_) return;
  events_.fill(&out_);
  if (!out_.empty()) Write();
}

void Wire::CloseWhenWritten() {
  closing_ = true;
  Kick();
  if (!writing_) Close("closed");
}

void Wire::Close(const std::string& cause) {
  if (ended_) return;
  ended_ = true;
  const std::shared_ptr<Wire> self = shared_from_this();
  stall_.cancel();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  events_.ended(cause);
  // What the callbacks hold may hold this; one of them may be running.
  asio::post(socket_.get_executor(), [self] { self->events_ = {}; });
}

void Wire::Read() {
  socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code error, size_t bytes) {
    if (self->ended_) return;
    if (error) {
      self->Close(error == asio::error::eof ? "the connection was closed by the other side"
                                            : "the connection broke: " + error.message());
    } else {
      self->OnRead(bytes);
    }
  });
}

void Wire::OnRead(size_t bytes) {
  received_.append(chunk_.data(), bytes);
  std::string_view left = received_;
  std::string_view message;
  for (;;) {
    const absl::StatusOr<bool> taken = TakeFrame(frame_, &left, &message);
    if (!taken.ok()) return Close(std::string(taken.status().message()));
    if (!*taken) break;
    events_.message(message);
    if (ended_) return;
  }
  const bool moved = left.size() < received_.size();
  received_.erase(0, received_.size() - left.size());
  WatchForStall(!received_.empty(), moved);
  Read();
}

void Wire::WatchForStall(bool waiting, bool moved) {
  if (!waiting) {
    if (stall_watched_) stall_.cancel();
    stall_watched_ = false;
    return;
  }
  if (stall_watched_ && !moved) return;
  stall_watched_ = true;
  stall_.expires_after(stall_limit_);
  stall_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (cancelled || self->ended_ || !self->stall_watched_) return;
    if (self->stall_.expiry() > std::chrono::steady_clock::now()) return;
    self->Close("a message stopped in the middle");
  });
}

void Wire::Write() {
  writing_ = true;
  asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](error_code error, size_t) {
    self->writing_ = false;
    self->out_.clear();
    if (self->ended_) return;
    if (error) {
      self->Close("the connection broke: " + error.message());
    } else {
      self->Kick();
      if (self->closing_ && !self->writing_) self->Close("closed");
    }
  });
}

}  // namespace waystation::adapters::iso8583
