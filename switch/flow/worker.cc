#include "switch/flow/worker.h"

#include <exception>
#include <utility>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/post.hpp"
#include "switch/core/check.h"

namespace waystation::flow {

namespace asio = boost::asio;

namespace {

// Of what goes first: between two others, and where nothing else of a batch is at work.
constexpr size_t kMostFirstBetween = 8;
constexpr size_t kMostFirstInARow = 256;

}  // namespace

Worker::Worker(const core::Clock* clock, std::string name)
    : clock_(clock), name_(std::move(name)), work_(io_.get_executor()), timer_(io_) {}

Worker::~Worker() {
  Stop();
  std::deque<Task> first;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    first.swap(first_);
  }
  // Replies that nobody will see: the coroutines that wait for them end while there is an io_context. What the tasks
  // hold may clear alarms as it ends.
  first.clear();
  const auto abandoned = std::exchange(alarms_, {});
}

void Worker::Start() {
  started_ = true;
  SetTimer();
  thread_ = std::thread([this] { io_.run(); });
  pthread_setname_np(thread_.native_handle(), name_.c_str());
}

void Worker::Stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

bool Worker::RunReady() {
  for (bool did_something = false;; did_something = true) {
    // Run by the io_context, as the timer would have them run: what an alarm spawns starts at once.
    if (const auto next = NextAlarm(); next.has_value() && *next <= clock_->Steady()) {
      asio::post(io_, [this] { RunAlarms(); });
    }
    if (io_.poll() == 0) return did_something;
  }
}

std::optional<core::SteadyTime> Worker::NextAlarm() const {
  if (alarms_.empty()) return std::nullopt;
  return alarms_.begin()->first.first;
}

void Worker::RunAlarms() {
  const core::SteadyTime now = clock_->Steady();
  while (!alarms_.empty() && alarms_.begin()->first.first <= now) {
    Task task = std::move(alarms_.begin()->second);
    alarms_.erase(alarms_.begin());
    task();
  }
}

Worker::AlarmKey Worker::AddAlarm(core::SteadyTime at, Task task) {
  const AlarmKey key{at, ++alarms_set_};
  alarms_.emplace(key, std::move(task));
  if (started_) SetTimer();
  return key;
}

void Worker::SetTimer() {
  const std::optional<core::SteadyTime> next = NextAlarm();
  // Most alarms are put off or taken back long before their time, so a timer that is set stays unless it is too late.
  if (!next.has_value() || (timer_at_.has_value() && *timer_at_ <= *next)) return;
  timer_at_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // set to an earlier time, or the worker is ending
    timer_at_.reset();
    RunAlarms();
    SetTimer();
  });
}

void Alarm::Set(core::SteadyTime at) {
  Clear();
  key_ = worker_->AddAlarm(at, [this] {
    key_.reset();
    task_();
  });
}

void Alarm::Clear() {
  if (key_.has_value()) worker_->alarms_.erase(*key_);
  key_.reset();
}

std::optional<core::SteadyTime> Alarm::at() const {
  if (!key_.has_value()) return std::nullopt;
  return key_->first;
}

void Worker::Post(Task task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty() && !ending_;
    posted_.push_back(std::move(task));
  }
  if (first) asio::post(io_, [this] { RunPosted(); });
}

void Worker::PostFirst(Task task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = first_.empty() && !ending_;
    first_.push_back(std::move(task));
    first_waits_.store(true, std::memory_order_relaxed);
  }
  // For where there is no batch between whose parts it could run.
  if (first) asio::post(io_, [this] { RunAllFirst(); });
}

void Worker::RunFirst(size_t most) {
  // Where this misses one that was posted just now, the next time sees it.
  for (; most > 0 && first_waits_.load(std::memory_order_relaxed); --most) {
    Task task;
    {
      std::lock_guard lock(mutex_);
      if (first_.empty()) return;
      task = std::move(first_.front());
      first_.pop_front();
      first_waits_.store(!first_.empty(), std::memory_order_relaxed);
    }
    task();
  }
}

void Worker::RunAllFirst() {
  RunFirst(kMostFirstInARow);
  // Others have their turn now; and where all are gone, the next that is posted posts this again.
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    more = !first_.empty();
  }
  if (more) asio::post(io_, [this] { RunAllFirst(); });
}

void Worker::RunPosted() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) {
    task();
    RunFirst(kMostFirstBetween);
  }
  running_.clear();
}

void Worker::Spawn(asio::awaitable<void> coroutine) {
  // An exception here is a fault of ours; going on would leave a payment without an owner.
  asio::co_spawn(io_, std::move(coroutine), [](const std::exception_ptr& error) {
    WS_CHECK(error == nullptr, "a coroutine ended by an exception");
  });
}

void Worker::PostSpawn(asio::awaitable<void> coroutine) {
  Post([this, coroutine = std::move(coroutine)]() mutable { Spawn(std::move(coroutine)); });
}

// Replies on their way to a worker. When the worker ends before they are run, the coroutines that wait for them end
// too: a ticket lives in the frame that its on_reply holds, so letting go of on_reply lets go of both.
class Worker::Delivery {
 public:
  // `worker`: what is to go first on it is run between them; null where they go first themselves.
  Delivery(Worker* worker, std::vector<storage::Ticket*> tickets) : worker_(worker), tickets_(std::move(tickets)) {}
  Delivery(Delivery&& other) noexcept : worker_(other.worker_), tickets_(std::exchange(other.tickets_, {})) {}
  Delivery& operator=(Delivery&&) = delete;
  ~Delivery() {
    for (storage::Ticket* ticket : tickets_) absl::AnyInvocable<void()> abandoned = std::move(ticket->on_reply);
  }

  void operator()() {
    for (storage::Ticket* ticket : std::exchange(tickets_, {})) {
      // The ticket lives in the frame that this resumes, and may be gone afterwards.
      absl::AnyInvocable<void()> on_reply = std::move(ticket->on_reply);
      on_reply();
      if (worker_ != nullptr) worker_->RunFirst(kMostFirstBetween);
    }
  }

 private:
  Worker* const worker_;
  std::vector<storage::Ticket*> tickets_;
};

void Worker::Deliver(std::vector<storage::Ticket*> tickets) {
  asio::post(io_, Delivery(this, std::move(tickets)));
}

void Worker::DeliverReads(std::vector<storage::Ticket*> tickets) {
  PostFirst(Delivery(nullptr, std::move(tickets)));
}

void Worker::Refuse(storage::Ticket* ticket) {
  ticket->reply.status = absl::ResourceExhaustedError(
      "the switch has more requests waiting than it takes; try the same request again shortly");
  Deliver({ticket});
}

asio::awaitable<void> Sleep::Until(core::SteadyTime time) {
  co_await Suspended([this, time](Worker::Task resume) {
    key_ = worker_->AddAlarm(time, [this, resume = std::move(resume)]() mutable {
      key_.reset();
      resume();
    });
  });
}

void Sleep::Wake() {
  if (!key_.has_value()) return;
  auto it = worker_->alarms_.find(*key_);
  // The sleep may be gone once the task has run.
  Worker::Task task = std::move(it->second);
  worker_->alarms_.erase(it);
  task();
}

asio::awaitable<void> WaitUntil(Worker& worker, core::SteadyTime time) {
  co_await Suspended([&worker, time](Worker::Task resume) { worker.RunAt(time, std::move(resume)); });
}

asio::awaitable<core::Reply> Commit(storage::Sequencer& sequencer, Worker& worker, core::Command command) {
  storage::Ticket ticket{.command = std::move(command), .on_reply = {}, .reply = {}};
  co_await Commit(sequencer, worker, ticket);
  co_return std::move(ticket.reply);
}

asio::awaitable<core::Reply> TryCommit(storage::Sequencer& sequencer, Worker& worker, core::Command command) {
  storage::Ticket ticket{.command = std::move(command), .on_reply = {}, .reply = {}};
  co_await TryCommit(sequencer, worker, ticket);
  co_return std::move(ticket.reply);
}

}  // namespace waystation::flow
