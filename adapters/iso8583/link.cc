#include "adapters/iso8583/link.h"

#include <latch>
#include <random>
#include <utility>

#include "adapters/iso8583/frame.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"

namespace waystation::adapters::iso8583 {

namespace asio = boost::asio;

struct Link::Lines {
  std::shared_ptr<Exchange> exchange;
  std::shared_ptr<LateTeller> late;
  std::vector<std::shared_ptr<Line>> lines;
  size_t next = 0;
  bool started = false;
  bool closed = false;

  void Start() {
    if (std::exchange(started, true)) return;
    for (const std::shared_ptr<Line>& line : lines) line->Start();
  }

  // The next that is up; else the next that is coming up; else null.
  Line* Pick() {
    Line* coming_up = nullptr;
    for (size_t i = 0; i < lines.size(); ++i) {
      Line* line = lines[next++ % lines.size()].get();
      if (line->up()) return line;
      if (line->coming_up() && coming_up == nullptr) coming_up = line;
    }
    return coming_up;
  }
};

namespace {

Reply NotSentBecause(std::string cause) {
  Reply reply;
  reply.kind = Reply::Kind::kNotSent;
  reply.cause = std::move(cause);
  return reply;
}

}  // namespace

Link::Link(std::shared_ptr<const LinkParts> parts)
    : parts_(std::move(parts)),
      thread_(LinkThread::Share()),
      lines_(std::make_shared<Lines>()),
      trace_(std::random_device()() % kTraceNumbers) {
  lines_->exchange = std::make_shared<Exchange>(parts_);
  lines_->late = std::make_shared<LateTeller>(thread_, parts_->Address());
  for (size_t i = 0; i < parts_->connections; ++i) {
    lines_->lines.push_back(std::make_shared<Line>(&thread_->io(), parts_, lines_->exchange));
  }
}

// Where there is no memory for a task the process ends, as it does elsewhere.
Link::~Link() {  // NOLINT(bugprone-exception-escape): see above
  std::latch closed(1);
  asio::post(thread_->io(), [this, &closed] {
    lines_->closed = true;
    for (const std::shared_ptr<Line>& line : lines_->lines) line->Stop();
    lines_->exchange->Close();
    lines_->late->Close();
    closed.count_down();
  });
  closed.wait();
}

asio::awaitable<Reply> Link::Ask(Message request, std::string reference, Exchange::OnLate on_late, Deadline deadline) {
  const MatchKey key = KeyOfAnswerTo(request);
  std::string frame;
  const absl::Status packed = PackFrame(parts_->file.specification, parts_->mac.get(), &request, &frame);
  if (!packed.ok()) co_return NotSentBecause(std::string(packed.message()));
  auto waiter = std::make_shared<Waiter>();
  asio::post(thread_->io(), [lines = lines_, key, waiter, frame = std::move(frame), reference = std::move(reference),
                             on_late = std::move(on_late)]() mutable {
    if (lines->closed) return waiter->Finish(NotSentBecause("the link is being closed"));
    lines->Start();
    Line* line = lines->Pick();
    if (line == nullptr) return waiter->Finish(NotSentBecause(lines->lines.front()->cause()));
    if (!lines->exchange->Expect(key, line, waiter, std::move(reference), std::move(on_late))) {
      // It may be the same payment, which then did leave.
      return waiter->Finish({Reply::Kind::kUnknown, {}, "a request with its trace number and time is under way"});
    }
    line->Send(key, std::move(waiter), std::move(frame));
  });
  Reply reply = co_await Waiter::Wait(waiter, deadline);
  if (reply.kind != Reply::Kind::kAnswered) {
    asio::post(thread_->io(), [lines = lines_, key, waiter] { lines->exchange->GiveUp(key, waiter.get()); });
  }
  co_return reply;
}

void Link::TellLate(LateApprovals* late, const PaymentRequest& request, Approved approved) {
  lines_->late->Tell(late, request.station, request.payment_id, std::move(approved));
}

asio::awaitable<bool> Link::Echo(Deadline deadline) {
  auto waiter = std::make_shared<Waiter>();
  // On the thread: waits for a line, if none is up, then tests it; the next, should it break meanwhile.
  const auto test = [](std::shared_ptr<Lines> lines, std::shared_ptr<Waiter> asker, Deadline by,
                       asio::io_context* io) -> asio::awaitable<void> {
    constexpr std::chrono::milliseconds kLook{5};
    asio::steady_timer look(*io);
    lines->Start();
    for (const std::shared_ptr<Line>& line : lines->lines) line->Hurry();
    for (;;) {
      Line* line = lines->closed ? nullptr : lines->Pick();
      if (lines->closed || std::chrono::steady_clock::now() >= by) co_return;
      if (line != nullptr && line->up()) {
        Reply reply = co_await line->Echo(by);
        if (reply.kind == Reply::Kind::kAnswered) {
          asker->Finish(std::move(reply));
          co_return;
        }
      }
      look.expires_after(kLook);
      co_await look.async_wait(asio::use_awaitable);
    }
  };
  asio::co_spawn(thread_->io(), test(lines_, waiter, deadline, &thread_->io()), asio::detached);
  const Reply reply = co_await Waiter::Wait(waiter, deadline);
  co_return reply.kind == Reply::Kind::kAnswered;
}

}  // namespace waystation::adapters::iso8583
