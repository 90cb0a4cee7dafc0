#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/baselines/baseline.h"
#include "bench/child_process.h"
#include "bench/interruption.h"
#include "bench/temporary_folder.h"
#include "fmt/format.h"

namespace waystation::bench {

namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

constexpr char kVersions[] = "/usr/lib/postgresql";
constexpr std::chrono::seconds kStepLimit{60};
constexpr int kClients = 32;
constexpr int kThreads = 2;

absl::StatusOr<std::string> FindPrograms() {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator version(kVersions, error), end; !error && version != end; version.increment(error)) {
    const fs::path folder = version->path() / "bin";
    const auto has = [&folder](const char* program) {
      std::error_code ignored;
      return fs::exists(folder / program, ignored);
    };
    if (has("initdb") && has("postgres") && has("psql") && has("pgbench")) found.push_back(folder);
  }
  if (found.empty()) {
    return absl::NotFoundError(
        fmt::format("PostgreSQL is not installed: no {}/*/bin has initdb, postgres, psql and "
                    "pgbench (Debian: postgresql)",
                    kVersions));
  }
  return *std::max_element(found.begin(), found.end());
}

// One server with its folder, and the programs that speak to it.
class Postgres {
 public:
  static absl::StatusOr<std::unique_ptr<Postgres>> Start(const BaselineOptions& options) {
    absl::StatusOr<std::string> programs = FindPrograms();
    if (!programs.ok()) return programs.status();
    absl::StatusOr<std::unique_ptr<TemporaryFolder>> folder = TemporaryFolder::Make(options.work_folder);
    if (!folder.ok()) return folder.status();
    auto postgres = std::unique_ptr<Postgres>(new Postgres(*std::move(programs), *std::move(folder), options.stations));
    absl::Status status = postgres->BecomeUnprivileged();
    if (status.ok()) status = postgres->Initialize();
    if (!status.ok()) return status;
    return postgres;
  }

  absl::Status Stop() { return server_->Stop(kStepLimit); }

  // Payments and how long they took. `run`: another one each time, which request ids begin with.
  absl::StatusOr<LoadResult> Pay(int run, double seconds) {
    const Command command = Client(
        "pgbench", {"--no-vacuum", "--protocol=prepared", fmt::format("--client={}", kClients),
                    fmt::format("--jobs={}", kThreads), fmt::format("--time={}", std::max(1.0, std::round(seconds))),
                    fmt::format("--define=stations={}", stations_), fmt::format("--define=run={}", run),
                    "--define=made=0", "--file=" WS_SOURCE_DIR "/bench/baselines/payment.sql", "postgres"});
    auto process = Run(command);
    if (!process.ok()) return process.status();
    const auto limit = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1e3)) + kStepLimit;
    absl::StatusOr<double> payments = Number(**process, "number of transactions actually processed: ", limit);
    if (!payments.ok()) return payments.status();
    absl::StatusOr<double> failed = Number(**process, "number of failed transactions: ", limit);
    if (!failed.ok()) return failed.status();
    absl::StatusOr<double> rate = Number(**process, "tps = ", limit);
    if (!rate.ok()) return rate.status();
    if (absl::Status status = (*process)->WaitForSuccess(kStepLimit); !status.ok()) return status;
    if (*failed > 0 || *payments < 1 || *rate <= 0) {
      return absl::InternalError(fmt::format("pgbench: {} payments, {} of them failed", *payments, *failed));
    }
    LoadResult result;
    result.completed = static_cast<uint64_t>(*payments);
    result.seconds = *payments / *rate;
    return result;
  }

  // Whether the books have two legs for each of `payments`, and as much money as before.
  absl::Status CheckBooks(uint64_t payments) {
    const char* query =
        "SELECT 'books ' || (SELECT count(*) FROM journal) || ' ' || (SELECT count(*) FROM payments WHERE state = "
        "'SUCCEEDED') || ' ' || (SELECT sum(reserved) FROM stations) || ' ' || (SELECT sum(1000000000000 - balance) "
        "FROM "
        "stations) - (SELECT sum(amount) FROM payments)";
    auto process = Run(Client("psql", {"--no-psqlrc", "-At", "-c", query, "postgres"}));
    if (!process.ok()) return process.status();
    absl::StatusOr<std::string> books = (*process)->WaitForLine("books ", kStepLimit, Interrupted);
    if (!books.ok()) return books.status();
    const std::string expected = fmt::format("{} {} 0 0", 2 * payments, payments);
    if (*books == expected) return absl::OkStatus();
    return absl::InternalError(fmt::format(
        "PostgreSQL's books (legs, payments that succeeded, reserved, money missing) are \"{}\"; expected \"{}\"",
        *books, expected));
  }

 private:
  Postgres(std::string programs, std::unique_ptr<TemporaryFolder> folder, size_t stations)
      : programs_(std::move(programs)), folder_(std::move(folder)), stations_(stations) {}

  // The server refuses to be root.
  absl::Status BecomeUnprivileged() {
    if (geteuid() != 0) return absl::OkStatus();
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) return absl::NotFoundError("PostgreSQL does not run as root, and there is no user postgres");
    if (chown(folder_->path().c_str(), user->pw_uid, user->pw_gid) != 0) {
      return absl::UnavailableError(fmt::format("{} could not be given to the user postgres", folder_->path()));
    }
    // Like our other children it ends when we do.
    as_user_ = {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=QUIT"};
    return absl::OkStatus();
  }

  absl::Status Initialize() {
    const std::string data = folder_->path() + "/data";
    auto made = Run(AsUser({programs_ + "/initdb", "--pgdata=" + data, "--username=postgres", "--auth=trust",
                            "--encoding=UTF8", "--locale=C", "--no-sync"}));
    if (!made.ok()) return made.status();
    if (absl::Status status = (*made)->WaitForSuccess(kStepLimit); !status.ok()) return status;
    // Durable as it is by default; no checkpoint, no replica and no network in the way.
    Command server = {programs_ + "/postgres", "-D", data, "-k", folder_->path()};
    for (const char* setting : {"listen_addresses=", "shared_buffers=512MB", "max_wal_size=8GB",
                                "checkpoint_timeout=1h", "wal_level=minimal", "max_wal_senders=0", "jit=off",
                                "fsync=on", "synchronous_commit=on", "full_page_writes=on", "log_line_prefix="}) {
      server.insert(server.end(), {"-c", setting});
    }
    // It tells on stderr that it is ready.
    Command shell = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"};
    shell.insert(shell.end(), server.begin(), server.end());
    auto started = Run(AsUser(shell));
    if (!started.ok()) return started.status();
    server_ = *std::move(started);
    const auto ready =
        server_->WaitForLine("LOG:  database system is ready to accept connections", kStepLimit, Interrupted);
    if (!ready.ok()) return ready.status();
    auto filled = Run(
        Client("psql", {"--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-v", fmt::format("stations={}", stations_),
                        "-f", WS_SOURCE_DIR "/bench/baselines/schema.sql", "postgres"}));
    if (!filled.ok()) return filled.status();
    return (*filled)->WaitForSuccess(kStepLimit);
  }

  Command AsUser(const Command& command) const {
    Command whole = as_user_;
    whole.insert(whole.end(), command.begin(), command.end());
    return whole;
  }
  Command Client(const std::string& program, const Command& arguments) const {
    Command command = {programs_ + "/" + program, "--host=" + folder_->path(), "--username=postgres"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  absl::StatusOr<std::unique_ptr<ChildProcess>> Run(const Command& command) const {
    return ChildProcess::Start(command, folder_->path() + "/stderr.log");
  }

  static absl::StatusOr<double> Number(ChildProcess& process, std::string_view prefix,
                                       std::chrono::milliseconds limit) {
    absl::StatusOr<std::string> text = process.WaitForLine(prefix, limit, Interrupted);
    if (!text.ok()) return text.status();
    double number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc()) return number;
    return absl::InternalError(fmt::format("pgbench printed \"{}{}\"; expected a number there", prefix, *text));
  }

  const std::string programs_;
  const std::unique_ptr<TemporaryFolder> folder_;
  const size_t stations_;
  Command as_user_;  // what goes before a command
  std::unique_ptr<ChildProcess> server_;
};

}  // namespace

absl::StatusOr<LoadResult> MeasurePostgres(const BaselineOptions& options) {
  absl::StatusOr<std::unique_ptr<Postgres>> postgres = Postgres::Start(options);
  if (!postgres.ok()) return postgres.status();
  absl::StatusOr<LoadResult> warm = (*postgres)->Pay(1, options.warm_up_seconds);
  if (!warm.ok()) return warm.status();
  absl::StatusOr<LoadResult> paid = (*postgres)->Pay(2, options.seconds);
  if (!paid.ok()) return paid.status();
  absl::Status status = (*postgres)->CheckBooks(warm->completed + paid->completed);
  if (status.ok()) status = (*postgres)->Stop();
  if (!status.ok()) return status;
  return paid;
}

}  // namespace waystation::bench
