#include "adapters/iso8583/line.h"

#include <algorithm>
#include <utility>

#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/trace.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/connect.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"

namespace waystation::adapters::iso8583 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kSignOn = "001";
constexpr std::string_view kEchoTest = "301";
constexpr std::string_view kApproved = "00";
// What is given to the socket at a time.
constexpr size_t kWriteBytes = 64 * 1024;

}  // namespace

Line::Line(asio::io_context* io, std::shared_ptr<const LinkParts> parts, std::shared_ptr<Exchange> exchange)
    : io_(io), parts_(std::move(parts)), exchange_(std::move(exchange)), watch_(*io), pause_(*io) {
  trace_ = static_cast<uint32_t>(jitter_() % kTraceNumbers);
}

void Line::Start() {
  asio::co_spawn(*io_, Run(shared_from_this()), asio::detached);
}

void Line::Stop() {
  stopped_ = true;
  error_code ignored;
  if (resolving_) resolving_->cancel();
  if (connecting_) connecting_->close(ignored);
  if (wire_) wire_->Close("the link is being closed");
  pause_.cancel();
  watch_.cancel();
}

void Line::Send(const MatchKey& key, std::shared_ptr<Waiter> waiter, std::string frame) {
  if (waiting_.size() >= kMostWaiting) {
    return exchange_->NeverSent(key, waiter.get(), fmt::format("{} requests wait to be sent already", kMostWaiting));
  }
  waiting_.push_back({key, std::move(waiter), std::move(frame)});
  if (up_) wire_->Kick();
}

asio::awaitable<Reply> Line::Echo(Deadline deadline) {
  return Network(kEchoTest, deadline);
}

asio::awaitable<void> Line::Run([[maybe_unused]] std::shared_ptr<Line> self) {
  milliseconds backoff = parts_->least_backoff;
  while (!stopped_) {
    const Deadline deadline = Clock::now() + parts_->connect_timeout;
    std::string cause = co_await Connect(deadline);
    if (cause.empty() && parts_->sign_on) cause = co_await SignOn(deadline);
    if (cause.empty() && wire_) {
      up_ = true;
      answered_ = false;
      const Clock::time_point since = Clock::now();
      wire_->Kick();
      co_await Watch();
      up_ = false;
      cause = cause_;
      if (answered_ || Clock::now() - since >= kStood) backoff = parts_->least_backoff;
    } else if (wire_) {
      wire_->Close(cause);
    }
    cause_ = fmt::format("no connection to {}: {}; the next attempt is within {} ms", parts_->Address(),
                         cause.empty() ? cause_ : cause, backoff.count());
    for (const Outgoing& outgoing : std::exchange(waiting_, {})) {
      exchange_->NeverSent(outgoing.key, outgoing.waiter.get(), cause_);
    }
    if (stopped_) co_return;
    co_await Pause(backoff);
    backoff = std::min(backoff * 2, parts_->most_backoff);
  }
}

asio::awaitable<std::string> Line::Connect(Deadline deadline) {
  tcp::resolver::results_type endpoints;
  if (std::string cause = co_await Resolve(deadline, &endpoints); !cause.empty()) co_return cause;
  error_code error;
  auto socket = std::make_shared<tcp::socket>(*io_);
  connecting_ = socket;
  auto expired = std::make_shared<bool>(false);
  asio::steady_timer limit(*io_, deadline);
  limit.async_wait([socket, expired](error_code cancelled) {
    if (cancelled) return;
    *expired = true;
    error_code ignored;
    socket->close(ignored);
  });
  co_await asio::async_connect(*socket, endpoints, asio::redirect_error(asio::use_awaitable, error));
  limit.cancel();
  connecting_.reset();
  if (stopped_) co_return "the link is being closed";
  if (*expired) co_return "it was not taken in time";
  if (error) co_return error.message();
  StartWire(std::move(*socket));
  co_return "";
}

// A look-up can't be ended, only left alone: it goes on without this, and finds nobody there.
asio::awaitable<std::string> Line::Resolve(Deadline deadline, tcp::resolver::results_type* endpoints) {
  error_code error;
  const asio::ip::address number = asio::ip::make_address(parts_->host, error);
  if (!error) {
    *endpoints = tcp::resolver::results_type::create(tcp::endpoint(number, parts_->port), parts_->host, "");
    co_return "";
  }
  struct Found {
    bool done = false;
    error_code error;
    tcp::resolver::results_type endpoints;
  };
  auto found = std::make_shared<Found>();
  auto limit = std::make_shared<asio::steady_timer>(*io_, deadline);
  resolving_ = limit;
  tcp::resolver resolver(*io_);
  resolver.async_resolve(parts_->host, std::to_string(parts_->port),
                         [found, limit](error_code failed, tcp::resolver::results_type there) {
                           found->done = true;
                           found->error = failed;
                           found->endpoints = std::move(there);
                           limit->cancel();
                         });
  co_await limit->async_wait(asio::redirect_error(asio::use_awaitable, error));
  resolving_.reset();
  if (stopped_) co_return "the link is being closed";
  if (!found->done) {
    resolver.cancel();
    co_return "its name was not found in time";
  }
  if (found->error) co_return found->error.message();
  *endpoints = std::move(found->endpoints);
  co_return "";
}

void Line::StartWire(tcp::socket socket) {
  wire_ = std::make_shared<Wire>(std::move(socket), parts_->file.specification.frame(), parts_->stall_limit);
  wire_->Start({.fill =
                    [self = shared_from_this()](std::string* out) {
                      *out += std::exchange(self->replies_, "");
                      self->Fill(&self->network_, out);
                      if (self->up_) self->Fill(&self->waiting_, out);
                    },
                .message = [self = shared_from_this()](std::string_view message) { self->OnMessage(message); },
                .ended = [self = shared_from_this()](const std::string& cause) { self->OnEnded(cause); }});
}

void Line::OnMessage(std::string_view message) {
  heard_ = true;
  std::string reply;
  if (exchange_->OnMessage(message, &reply)) answered_ = true;
  // A host that sends and does not read is not answered for ever.
  if (reply.empty() || replies_.size() >= kWriteBytes || !wire_) return;
  replies_ += reply;
  wire_->Kick();
}

asio::awaitable<std::string> Line::SignOn(Deadline deadline) {
  const Reply reply = co_await Network(kSignOn, deadline);
  if (reply.kind != Reply::Kind::kAnswered) co_return fmt::format("sign-on: {}", reply.cause);
  const std::string_view code = reply.message.Get(39);
  if (code != kApproved) co_return fmt::format("sign-on was answered {}; expected {}", code, kApproved);
  co_return "";
}

asio::awaitable<void> Line::Watch() {
  while (wire_) {
    heard_ = false;
    if (parts_->echo_interval.count() == 0) {
      watch_.expires_at(Clock::time_point::max());
    } else {
      watch_.expires_after(parts_->echo_interval);
    }
    error_code cancelled;
    co_await watch_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (!wire_ || heard_ || cancelled) continue;
    const Reply reply = co_await Network(kEchoTest, Clock::now() + parts_->echo_timeout);
    if (wire_ && reply.kind != Reply::Kind::kAnswered && !heard_) wire_->Close("the echo test was not answered");
  }
}

asio::awaitable<void> Line::Pause(milliseconds time) {
  pausing_ = true;
  std::uniform_int_distribution<int64_t> jittered(time.count() / 2, time.count());
  pause_.expires_after(milliseconds(jittered(jitter_)));
  error_code cancelled;
  co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  pausing_ = false;
}

asio::awaitable<Reply> Line::Network(std::string_view function, Deadline deadline) {
  Message request;
  request.set_mti("0800");
  request.Set(7, TransmissionTime(core::TimePoint(
                     std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch()))));
  trace_ = NextTrace(trace_);
  request.Set(11, TraceText(trace_));
  request.Set(70, function);
  Outgoing outgoing{KeyOfAnswerTo(request), std::make_shared<Waiter>(), ""};
  const absl::Status packed = PackFrame(parts_->file.specification, parts_->mac.get(), &request, &outgoing.frame);
  Reply reply;
  reply.kind = Reply::Kind::kNotSent;
  reply.cause = packed.ok() ? "there is no connection" : std::string(packed.message());
  if (!packed.ok() || !wire_) co_return reply;
  const MatchKey key = outgoing.key;
  const std::shared_ptr<Waiter> waiter = outgoing.waiter;
  if (!exchange_->Expect(key, this, waiter, "", {})) {
    reply.cause = "its trace number is taken";
    co_return reply;
  }
  network_.push_back(std::move(outgoing));
  wire_->Kick();
  reply = co_await Waiter::Wait(waiter, deadline);
  exchange_->GiveUp(key, waiter.get());
  co_return reply;
}

void Line::Fill(std::deque<Outgoing>* queue, std::string* out) {
  while (!queue->empty() && out->size() < kWriteBytes) {
    Outgoing& outgoing = queue->front();
    if (outgoing.waiter->Leave()) {
      *out += outgoing.frame;
    } else {
      exchange_->NeverSent(outgoing.key, outgoing.waiter.get(), "");
    }
    queue->pop_front();
  }
}

void Line::OnEnded(const std::string& cause) {
  cause_ = cause;
  up_ = false;
  wire_.reset();
  replies_.clear();
  for (const Outgoing& outgoing : std::exchange(network_, {})) {
    exchange_->NeverSent(outgoing.key, outgoing.waiter.get(), cause);
  }
  exchange_->LineEnded(this, cause);
  watch_.cancel();
}

}  // namespace waystation::adapters::iso8583
