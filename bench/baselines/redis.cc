#include <hiredis/hiredis.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/baselines/baseline.h"
#include "bench/child_process.h"
#include "bench/interruption.h"
#include "bench/temporary_folder.h"
#include "bench/workload.h"
#include "fmt/compile.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr char kServer[] = "/usr/bin/redis-server";
constexpr std::chrono::seconds kStepLimit{30};
constexpr size_t kClients = 64;
constexpr uint64_t kFirstStation = 990'000'000'001;
constexpr char kJournal[] = "journal";

struct EndContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, EndContext>;
struct EndReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, EndReply>;

std::string ReadScript(const std::string& name) {
  std::ifstream file(WS_SOURCE_DIR "/bench/baselines/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::Status Fault(const Context& context, const redisReply* reply) {
  if (context->err != 0) return absl::UnavailableError(fmt::format("Redis: {}", context->errstr));
  if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
    return absl::InternalError(fmt::format("Redis: {}", reply->str));
  }
  return absl::OkStatus();
}

// Sends it and waits for the answer.
absl::StatusOr<Reply> Ask(const Context& context, const std::vector<std::string>& command) {
  std::vector<const char*> parts;
  std::vector<size_t> sizes;
  for (const std::string& part : command) {
    parts.push_back(part.data());
    sizes.push_back(part.size());
  }
  Reply reply(static_cast<redisReply*>(
      redisCommandArgv(context.get(), static_cast<int>(parts.size()), parts.data(), sizes.data())));
  if (absl::Status status = Fault(context, reply.get()); !status.ok()) return status;
  return reply;
}

struct Scripts {
  std::string hold;
  std::string capture;
};

// The measured part of a run.
struct Window {
  SteadyClock::time_point from;
  SteadyClock::time_point end;
};

// A connection with `pipelined` payments in flight: each answer to a hold is followed by its capture, each answer to a
// capture by the next payment's hold; what became due by one read goes out in one write.
class Client {
 public:
  Client(Context context, const Scripts& scripts, size_t number, size_t stations, size_t pipelined)
      : context_(std::move(context)), scripts_(scripts), number_(number), stations_(stations), random_(number) {
    for (size_t i = 0; i < pipelined; ++i) Hold();
  }

  int descriptor() const { return context_->fd; }
  bool is_idle() const { return in_flight_.empty(); }
  uint64_t payments() const { return payments_; }

  absl::Status Write() {
    for (int done = 0; done == 0;) {
      if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return Fault(context_, nullptr);
    }
    return absl::OkStatus();
  }

  // Takes the answers that have come, and sends what follows upon them.
  absl::Status OnReadable(const Window& window, LoadResult& result) {
    if (redisBufferRead(context_.get()) != REDIS_OK) return Fault(context_, nullptr);
    const auto now = SteadyClock::now();
    for (;;) {
      void* raw = nullptr;
      if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) return Fault(context_, nullptr);
      const Reply reply(static_cast<redisReply*>(raw));
      if (reply == nullptr) return Write();
      if (absl::Status status = Fault(context_, reply.get()); !status.ok()) return status;
      Payment payment = std::move(in_flight_.front());
      in_flight_.pop_front();
      const std::string_view state(reply->str == nullptr ? "" : reply->str);
      if (!payment.held && state == "HELD") {
        payment.held = true;
        Capture(std::move(payment));
        continue;
      }
      if (state != "SUCCEEDED") return absl::InternalError(fmt::format("Redis answered \"{}\" to a payment", state));
      ++payments_;
      if (now >= window.from && now < window.end) {
        ++result.completed;
        result.latency.Record(now - payment.since);
      }
      if (now < window.end && !Interrupted()) Hold();
    }
  }

 private:
  struct Payment {
    SteadyClock::time_point since;
    std::string station;
    std::string key;
    bool held = false;
  };

  void Hold() {
    Payment payment;
    payment.since = SteadyClock::now();
    const uint64_t station = kFirstStation + random_.Below(stations_);
    payment.station = fmt::format(FMT_COMPILE("station:{}"), station);
    payment.key = fmt::format(FMT_COMPILE("payment:{}:b19ab3c4d5e6-{}-{}"), station, number_, ++made_);
    WriteCustomerNumber(CustomerShape::kMobile, random_, customer_);
    const std::string amount = fmt::format(FMT_COMPILE("{}"), 1'000 * (2 + random_.Below(9)));
    Append({"EVALSHA", scripts_.hold, "3", payment.station, payment.key, kJournal, "9900000001", "mobile", customer_,
            amount, Time(payment.since)});
    in_flight_.push_back(std::move(payment));
  }

  void Capture(Payment payment) {
    const std::string reference = fmt::format(FMT_COMPILE("M{:04}{:012}"), number_, made_);
    Append({"EVALSHA", scripts_.capture, "3", payment.station, payment.key, kJournal, reference,
            Time(SteadyClock::now())});
    in_flight_.push_back(std::move(payment));
  }

  static std::string Time(SteadyClock::time_point time) {
    return fmt::format(FMT_COMPILE("{}"), time.time_since_epoch().count());
  }

  void Append(std::initializer_list<std::string_view> command) {
    const char* parts[16];
    size_t sizes[16];
    int count = 0;
    for (const std::string_view part : command) {
      parts[count] = part.data();
      sizes[count++] = part.size();
    }
    redisAppendCommandArgv(context_.get(), count, parts, sizes);
  }

  const Context context_;
  const Scripts& scripts_;
  const size_t number_;
  const size_t stations_;
  Random random_;
  std::string customer_;
  uint64_t made_ = 0;
  uint64_t payments_ = 0;
  std::deque<Payment> in_flight_;  // in the order in which they will be answered
};

class Redis {
 public:
  static absl::StatusOr<std::unique_ptr<Redis>> Start(const BaselineOptions& options) {
    std::error_code error;
    if (!std::filesystem::exists(kServer, error)) {
      return absl::NotFoundError(fmt::format("Redis is not installed: there is no {} (Debian: redis-server)", kServer));
    }
    absl::StatusOr<std::unique_ptr<TemporaryFolder>> folder = TemporaryFolder::Make(options.work_folder);
    if (!folder.ok()) return folder.status();
    auto redis = std::unique_ptr<Redis>(new Redis(*std::move(folder)));
    const std::string& path = redis->folder_->path();
    auto server =
        ChildProcess::Start({kServer, "--port", "0", "--unixsocket", redis->socket_, "--dir", path, "--save", "",
                             "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"},
                            path + "/stderr.log");
    if (!server.ok()) return server.status();
    redis->server_ = *std::move(server);
    if (absl::Status status = redis->Fill(options.stations); !status.ok()) return status;
    return redis;
  }

  absl::StatusOr<LoadResult> Pay(const BaselineOptions& options, size_t pipelined) {
    const auto nanoseconds = [](double seconds) {
      return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
    };
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<pollfd> waiting;
    for (size_t i = 0; i < kClients; ++i) {
      absl::StatusOr<Context> context = Connect();
      if (!context.ok()) return context.status();
      clients.push_back(std::make_unique<Client>(*std::move(context), scripts_, i, options.stations, pipelined));
      waiting.push_back({.fd = clients.back()->descriptor(), .events = POLLIN, .revents = 0});
    }
    Window window;
    window.from = SteadyClock::now() + nanoseconds(options.warm_up_seconds);
    window.end = window.from + nanoseconds(options.seconds);
    for (const auto& client : clients) {
      if (absl::Status status = client->Write(); !status.ok()) return status;
    }
    LoadResult result;
    result.seconds = options.seconds;
    for (size_t idle = 0; idle < clients.size();) {
      const int ready = poll(waiting.data(), waiting.size(), 1'000);
      if (ready == 0 && SteadyClock::now() > window.end + kStepLimit) {
        return absl::DeadlineExceededError("Redis did not answer what was in flight at the end");
      }
      for (size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents == 0) continue;
        if (absl::Status status = clients[i]->OnReadable(window, result); !status.ok()) return status;
        if (!clients[i]->is_idle()) continue;
        waiting[i].fd = -1;
        ++idle;
      }
    }
    uint64_t payments = 0;
    for (const auto& client : clients) payments += client->payments();
    if (absl::Status status = CheckBooks(payments); !status.ok()) return status;
    return result;
  }

  absl::Status Stop() { return server_->Stop(kStepLimit); }

 private:
  explicit Redis(std::unique_ptr<TemporaryFolder> folder)
      : folder_(std::move(folder)), socket_(folder_->path() + "/redis.sock") {}

  // Waits for a server that has just been started.
  absl::StatusOr<Context> Connect() const {
    const auto give_up = SteadyClock::now() + kStepLimit;
    for (;;) {
      Context context(redisConnectUnix(socket_.c_str()));
      if (context != nullptr && context->err == 0) return context;
      if (SteadyClock::now() > give_up || Interrupted()) {
        return absl::UnavailableError(fmt::format("Redis does not answer at {}: {}", socket_,
                                                  context == nullptr ? "out of memory" : context->errstr));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  absl::Status Fill(size_t stations) {
    absl::StatusOr<Context> context = Connect();
    if (!context.ok()) return context.status();
    for (const auto& [name, sha] :
         {std::pair{"hold.lua", &scripts_.hold}, std::pair{"capture.lua", &scripts_.capture}}) {
      absl::StatusOr<Reply> loaded = Ask(*context, {"SCRIPT", "LOAD", ReadScript(name)});
      if (!loaded.ok()) return loaded.status();
      *sha = (*loaded)->str;
    }
    // In one go, so that all of them are one write to the disk.
    constexpr char kFill[] =
        "for station = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('HSET', 'station:' .. string.format('%.0f', "
        "station), 'status', 'ACTIVE', 'balance', '1000000000000', 'credit_limit', '0', 'reserved', '0') end";
    return Ask(*context,
               {"EVAL", kFill, "0", fmt::format("{}", kFirstStation), fmt::format("{}", kFirstStation + stations - 1)})
        .status();
  }

  absl::Status CheckBooks(uint64_t payments) const {
    absl::StatusOr<Context> context = Connect();
    if (!context.ok()) return context.status();
    absl::StatusOr<Reply> legs = Ask(*context, {"LLEN", kJournal});
    if (!legs.ok()) return legs.status();
    if (static_cast<uint64_t>((*legs)->integer) == 2 * payments) return absl::OkStatus();
    return absl::InternalError(
        fmt::format("Redis's journal has {} legs; expected two for each of {} payments", (*legs)->integer, payments));
  }

  const std::unique_ptr<TemporaryFolder> folder_;
  const std::string socket_;
  std::unique_ptr<ChildProcess> server_;
  Scripts scripts_;
};

}  // namespace

absl::StatusOr<LoadResult> MeasureRedis(const BaselineOptions& options, size_t pipelined) {
  absl::StatusOr<std::unique_ptr<Redis>> redis = Redis::Start(options);
  if (!redis.ok()) return redis.status();
  absl::StatusOr<LoadResult> paid = (*redis)->Pay(options, pipelined);
  if (!paid.ok()) return paid.status();
  if (absl::Status status = (*redis)->Stop(); !status.ok()) return status;
  return paid;
}

}  // namespace waystation::bench
