#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <thread>

#include "fmt/format.h"
#include "storage/high_water.h"
#include "storage/rebuild.h"
#include "storage/snapshot.h"
#include "storage/verify.h"
#include "switch/ctl/command_groups.h"
#include "switch/ctl/journal_text.h"
#include "switch/ctl/ledger_folder.h"
#include "waystation/v1/journal_service.grpc.pb.h"

namespace waystation::ctl {
namespace {

constexpr std::chrono::milliseconds kFollowInterval{250};
constexpr uint64_t kMostTailed = 100'000;
constexpr std::string_view kWhenDamaged =
    "stop switchd, keep a copy of the data folder as it is, and restore the newest backup that verifies";
constexpr std::string_view kWhenRowsAreDamaged =
    "the journal is whole; stop switchd and run switchctl journal rebuild-index on this data folder";

struct VerifyArguments {
  std::string data;
};

struct AcceptEndArguments {
  std::string data;
  uint64_t last_sequence = 0;
};

struct TailArguments {
  std::string data;
  uint64_t count = 20;
  bool follow = false;
};

struct ExportArguments {
  std::string data;
  uint64_t from = 1;
  uint64_t to = std::numeric_limits<uint64_t>::max();
};

struct FollowArguments {
  uint64_t from = 1;
  bool until_end = false;
};

// Null, with the reason printed and `status` set, when there is nothing to read.
std::unique_ptr<storage::RocksCommitLog> Open(Session& session, const std::string& data, ExitStatus* status) {
  absl::StatusOr<std::unique_ptr<storage::RocksCommitLog>> log = OpenLedgerFolder(data);
  if (log.ok()) return *std::move(log);
  const std::string what(log.status().message());
  *status = absl::IsNotFound(log.status())
                ? session.Fail(ExitStatus::kBadUsage, what, "name the folder of storage.data_dir in its configuration")
                : session.Fail(ExitStatus::kFault, what, "do what it says, and run this again");
  return nullptr;
}

ExitStatus FailRead(Session& session, const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return session.Fail(ExitStatus::kFault, std::string(status.message()),
                        "nothing is known to be damaged: mend the disk, and run this again");
  }
  return session.Fail(ExitStatus::kFault, std::string(status.message()),
                      absl::IsUnimplemented(status) ? "use switchctl of the version that wrote it" : kWhenDamaged);
}

// The mark beside the ledger; null when there is none.
absl::StatusOr<std::optional<storage::HighWaterMark>> ReadMark(const std::string& data) {
  const absl::StatusOr<std::filesystem::path> ledger = FindLedger(data);
  if (!ledger.ok()) return std::nullopt;  // Open says so
  return storage::HighWaterFile((ledger->parent_path() / "high_water").string()).Read();
}

ExitStatus Verify(Session& session, const VerifyArguments& arguments) {
  ExitStatus status = ExitStatus::kDone;
  // Before the journal: a switch that runs on it moves both on.
  const absl::StatusOr<std::optional<storage::HighWaterMark>> mark = ReadMark(arguments.data);
  const std::unique_ptr<storage::RocksCommitLog> log = Open(session, arguments.data, &status);
  if (log == nullptr) return status;
  const absl::StatusOr<storage::VerifyReport> report = storage::Verify(*log, *log, mark);
  if (!report.ok()) return FailRead(session, report.status());
  session.out() << (session.json() ? VerifyJson(*report) : VerifyText(*report));
  if (report->clean()) return ExitStatus::kDone;
  return session.Fail(ExitStatus::kFault,
                      fmt::format("\"{}\" is damaged; faults: {}, the first: {}", arguments.data, report->fault_count,
                                  report->faults.front()),
                      report->journal_damaged ? kWhenDamaged : kWhenRowsAreDamaged);
}

// Where the ledger of `data` lies; null, with the reason printed and `status` set, when there is none.
std::optional<storage::LedgerFolders> Locate(Session& session, const std::string& data, const ScratchFolder& scratch,
                                             ExitStatus* status) {
  const absl::StatusOr<std::filesystem::path> ledger = FindLedger(data);
  if (ledger.ok()) return storage::LedgerFolders{ledger->parent_path().string(), ledger->string(), scratch.path()};
  *status = session.Fail(ExitStatus::kBadUsage, std::string(ledger.status().message()),
                         "name the folder of storage.data_dir in its configuration");
  return std::nullopt;
}

// What failed in a command that changes a data folder.
ExitStatus FailChange(Session& session, const absl::Status& status) {
  const std::string what(status.message());
  switch (status.code()) {
    case absl::StatusCode::kDataLoss: return session.Fail(ExitStatus::kFault, what, kWhenDamaged);
    case absl::StatusCode::kFailedPrecondition:
      return session.Fail(ExitStatus::kRefused, what, "stop switchd first, where it runs on this folder");
    case absl::StatusCode::kInvalidArgument:
      return session.Fail(ExitStatus::kRefused, what, "look at the end with switchctl journal tail, and name it");
    default:
      return session.Fail(ExitStatus::kFault, what,
                          "see that the disk has room for a second ledger and can be written");
  }
}

ExitStatus RebuildIndex(Session& session, const VerifyArguments& arguments) {
  const absl::StatusOr<ScratchFolder> scratch = ScratchFolder::Make();
  if (!scratch.ok()) return FailChange(session, scratch.status());
  ExitStatus status = ExitStatus::kDone;
  const std::optional<storage::LedgerFolders> folders = Locate(session, arguments.data, *scratch, &status);
  if (!folders.has_value()) return status;
  const absl::StatusOr<storage::RebuiltLedger> result = storage::RebuildLedger(*folders);
  if (!result.ok()) return FailChange(session, result.status());
  session.out() << fmt::format(
      "rebuilt: index and snapshot of {} blocks, up to leg {}; it verifies\n"
      "the ledger as it was: {}; remove it when it is not needed any more\n",
      result->rebuilt.blocks, result->rebuilt.end.last_sequence, result->replaced);
  return ExitStatus::kDone;
}

ExitStatus AcceptEnd(Session& session, const AcceptEndArguments& arguments) {
  const absl::StatusOr<ScratchFolder> scratch = ScratchFolder::Make();
  if (!scratch.ok()) return FailChange(session, scratch.status());
  ExitStatus status = ExitStatus::kDone;
  const std::optional<storage::LedgerFolders> folders = Locate(session, arguments.data, *scratch, &status);
  if (!folders.has_value()) return status;
  const absl::StatusOr<storage::AcceptedEnd> accepted = storage::AcceptEnd(*folders, arguments.last_sequence);
  if (!accepted.ok()) return FailChange(session, accepted.status());
  const std::string mark =
      accepted->kept_mark.empty()
          ? "there was no high-water mark"
          : fmt::format("the high-water mark was at {}, and is kept in {}",
                        accepted->given_up.has_value() ? fmt::format("leg {}", accepted->given_up->last_sequence)
                                                       : "no leg that can be read",
                        accepted->kept_mark);
  session.out() << fmt::format(
      "the journal's end at leg {0} is taken for right; {1}\n"
      "given up: every leg after {0}; the billers may know of payments that the switch does not. Run switchctl "
      "journal verify, rebuild-index where it says so, and compare with the billers' books. switchd answers only "
      "reads until switchctl backup confirm-old-switch-dead\n",
      accepted->end.last_sequence, mark);
  return ExitStatus::kDone;
}

// Prints what the writer adds, until the reader of standard output goes away.
ExitStatus Follow(Session& session, storage::RocksCommitLog& log, JournalCursor& cursor) {
  while (session.out().good()) {
    std::this_thread::sleep_for(kFollowInterval);
    absl::Status status = log.CatchUp();
    if (status.ok()) {
      status = cursor.ReadOn([&](const storage::OpenedBlock& block, const core::Leg& leg) {
        session.out() << LegJson(block.stamp, leg);
        return session.out().good();
      });
    }
    session.out().flush();
    if (!status.ok()) return FailRead(session, status);
  }
  return ExitStatus::kDone;
}

// The last leg before `sequence`; 0 when there is none, or it can't be read.
uint64_t LegBefore(const storage::CommitLog& log, uint64_t sequence) {
  uint64_t before = 0;
  const absl::Status read = log.ReadBlocks(sequence - 1, [&](uint64_t, std::string_view sealed) {
    const absl::StatusOr<storage::OpenedBlock> block = storage::OpenBlock(sealed);
    if (block.ok()) before = std::min(block->legs.back().sequence, sequence - 1);
    return false;
  });
  return read.ok() ? before : 0;
}

ExitStatus Tail(Session& session, const TailArguments& arguments) {
  ExitStatus opened = ExitStatus::kDone;
  const std::unique_ptr<storage::RocksCommitLog> log = Open(session, arguments.data, &opened);
  if (log == nullptr) return opened;
  // The snapshot is at most about a second behind the end of the journal; without one the search starts at its
  // beginning.
  const absl::StatusOr<std::optional<storage::SnapshotPosition>> snapshot = storage::ReadSnapshotPosition(*log);
  const uint64_t near_end = snapshot.ok() && snapshot->has_value() ? (*snapshot)->chain.last_sequence : 0;
  uint64_t from = near_end > arguments.count ? near_end - arguments.count + 1 : 1;
  std::optional<JournalCursor> cursor;
  std::deque<std::string> last;
  absl::Status status;
  while (true) {
    last.clear();
    status = cursor.emplace(*log, from).ReadOn([&](const storage::OpenedBlock& block, const core::Leg& leg) {
      last.push_back(LegJson(block.stamp, leg));
      if (last.size() > arguments.count) last.pop_front();
      return true;
    });
    // Too few where the journal passed over numbers when it was resumed after a restore: from further back.
    const uint64_t missing = arguments.count - last.size();
    if (!status.ok() || missing == 0 || from == 1) break;
    const uint64_t before = LegBefore(*log, from);
    from = before > missing ? before - missing + 1 : 1;
  }
  for (const std::string& line : last) session.out() << line;
  session.out().flush();
  if (!status.ok()) return FailRead(session, status);
  return arguments.follow ? Follow(session, *log, *cursor) : ExitStatus::kDone;
}

ExitStatus Export(Session& session, const ExportArguments& arguments) {
  if (arguments.from > arguments.to) {
    return session.Fail(
        ExitStatus::kBadUsage,
        fmt::format("--from-seq {} is behind --to-seq {}; expected it not to be", arguments.from, arguments.to),
        "exchange the two");
  }
  ExitStatus opened = ExitStatus::kDone;
  const std::unique_ptr<storage::RocksCommitLog> log = Open(session, arguments.data, &opened);
  if (log == nullptr) return opened;
  JournalCursor cursor(*log, arguments.from);
  const absl::Status status = cursor.ReadOn([&](const storage::OpenedBlock& block, const core::Leg& leg) {
    if (leg.sequence > arguments.to) return false;
    session.out() << LegJson(block.stamp, leg);
    return session.out().good();
  });
  return status.ok() ? ExitStatus::kDone : FailRead(session, status);
}

// Over the switch's change feed.
ExitStatus FollowFeed(Session& session, const FollowArguments& arguments) {
  const std::shared_ptr<grpc::Channel> channel = session.Connect();
  if (channel == nullptr) return ExitStatus::kUnreachable;
  v1::StreamJournalRequest request;
  request.set_from_sequence(arguments.from);
  request.set_until_end(arguments.until_end);
  grpc::ClientContext context;
  if (session.settings().timeout_s.has_value()) {
    context.set_deadline(std::chrono::system_clock::now() + session.timeout());
  }
  v1::JournalService::Stub stub(channel);
  const auto reader = stub.Stream(&context, request);
  const auto fail = [&](const std::string& what, std::string_view next) {
    context.TryCancel();
    reader->Finish();
    return session.Fail(ExitStatus::kFault, what, next);
  };

  uint64_t next = std::max<uint64_t>(arguments.from, 1);
  v1::StreamJournalResponse message;
  while (reader->Read(&message)) {
    for (const journal::v1::Block& block : message.blocks()) {
      const absl::StatusOr<std::string> lines = LegsJson(block);
      if (!lines.ok()) {
        return fail(fmt::format("at sequence {}: {}", next, std::string(lines.status().message())),
                    "use switchctl of the switch's version");
      }
      session.out() << *lines;
      next = block.legs(block.legs_size() - 1).sequence() + 1;
    }
    session.out().flush();
    if (!session.out().good()) return fail("could not write to standard output", "see that its reader is there");
  }
  return session.FailCall(reader->Finish(), fmt::format("go on where it ended with --from {}", next));
}

void AddDataOption(CLI::App& app, std::string& into) {
  app.add_option("--data", into, "The data folder of switchd: storage.data_dir of its configuration")
      ->required()
      ->type_name("DIR");
}

}  // namespace

void AddJournalCommands(CommandLine& line) {
  CLI::App& group = line.AddGroup("journal", "Prove, read and follow the journal", "The journal");

  auto verify = std::make_shared<VerifyArguments>();
  AddDataOption(
      line.AddCommand(group,
                      {"verify", "Walk the chain, replay it, compare with what is stored; exit status 1 when damaged",
                       "switchctl journal verify --data /var/lib/waystation/ledger"},
                      [verify](Session& session) { return Verify(session, *verify); }),
      verify->data);

  auto rebuild = std::make_shared<VerifyArguments>();
  AddDataOption(line.AddCommand(group,
                                {"rebuild-index",
                                 "Make the index and the snapshot anew from the journal, of a switch that is stopped",
                                 "switchctl journal rebuild-index --data /var/lib/waystation/ledger"},
                                [rebuild](Session& session) { return RebuildIndex(session, *rebuild); }),
                rebuild->data);

  auto accept = std::make_shared<AcceptEndArguments>();
  CLI::App& accept_app = line.AddCommand(
      group,
      {"accept-end", "Go on without legs that are lost for good: only where no backup has them, with switchd stopped",
       "switchctl journal accept-end --data /var/lib/waystation/ledger --last-seq 5000"},
      [accept](Session& session) { return AcceptEnd(session, *accept); });
  AddDataOption(accept_app, accept->data);
  accept_app
      .add_option("--last-seq", accept->last_sequence, "The leg at which the journal ends; all behind it is given up")
      ->required()
      ->type_name("SEQ");

  auto tail = std::make_shared<TailArguments>();
  CLI::App& tail_app = line.AddCommand(group,
                                       {"tail", "The last legs as JSON, one a line",
                                        "switchctl journal tail --data /var/lib/waystation/ledger -n 50\n"
                                        "switchctl journal tail --data /var/lib/waystation/ledger --follow"},
                                       [tail](Session& session) { return Tail(session, *tail); });
  AddDataOption(tail_app, tail->data);
  tail_app.add_option("-n,--count", tail->count, "How many")
      ->check(CLI::Range(uint64_t{1}, kMostTailed))
      ->capture_default_str()
      ->type_name("N");
  tail_app.add_flag("--follow", tail->follow, "Go on with what is added");

  auto to_export = std::make_shared<ExportArguments>();
  CLI::App& export_app =
      line.AddCommand(group,
                      {"export", "Legs as JSON, one a line",
                       "switchctl journal export --data /var/lib/waystation/ledger --from-seq 1 --to-seq 5000"},
                      [to_export](Session& session) { return Export(session, *to_export); });
  AddDataOption(export_app, to_export->data);
  export_app.add_option("--from-seq", to_export->from, "The first sequence number; left out, the beginning")
      ->type_name("SEQ");
  export_app.add_option("--to-seq", to_export->to, "The last sequence number; left out, the end")->type_name("SEQ");

  auto follow = std::make_shared<FollowArguments>();
  CLI::App& follow_app =
      line.AddCommand(group,
                      {"follow", "Legs as JSON, one a line, over the switch's change feed; then each that is added",
                       "switchctl journal follow --from 1\n"
                       "switchctl journal follow --from 5001 --until-end --address 10.0.0.7:7400"},
                      [follow](Session& session) { return FollowFeed(session, *follow); });
  follow_app.add_option("--from", follow->from, "The first sequence number; left out, the beginning")->type_name("SEQ");
  follow_app.add_flag("--until-end", follow->until_end, "End with what is there now");
}

}  // namespace waystation::ctl
