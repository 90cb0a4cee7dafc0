// damage: changes bytes of a store at random places and sees that each change is found, named and, where it can be,
// repaired. Exit status 0: it holds.
//
// Half of the rounds change a byte of a block, of a row, or of the key of one of these. Verification must find each,
// and name it by sequence number; a rebuild must repair the rows, and refuse to touch a damaged journal.
//
// The other half change a byte of a file that somebody reads: RocksDB's tables, its log, its manifest and the name of
// it, and the high-water mark. There a change may mean nothing (a table's statistics, a slot that is overwritten next):
// then the store must verify, with each block of the journal as it was, byte for byte; since
// verification compares every row with the journal, nothing that anybody reads is different. What is not harmless must
// be found by verification, and a start must refuse it or come to the same ledger.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "storage/index.h"
#include "storage/rebuild.h"
#include "storage/rocks_commit_log.h"
#include "storage/snapshot.h"
#include "storage/verify.h"
#include "switch/core/check.h"
#include "tests/storage/manual_clock.h"
#include "tests/storage/running_ledger.h"
#include "tests/storage/store_text.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/workload.h"

namespace waystation::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kBatches = 60;

struct Tally {
  int blocks = 0;
  int keys_of_blocks = 0;
  int rows = 0;
  int keys_of_rows = 0;
  int files_found = 0;
  int files_harmless = 0;
  int repaired = 0;
  int left_alone = 0;
  int faults = 0;
};

// All blocks, byte for byte.
std::vector<std::pair<uint64_t, std::string>> JournalOf(const CommitLog& log) {
  std::vector<std::pair<uint64_t, std::string>> blocks;
  const absl::Status read = log.ReadBlocks(0, [&](uint64_t first, std::string_view bytes) {
    blocks.emplace_back(first, bytes);
    return true;
  });
  if (!read.ok()) blocks.clear();
  return blocks;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> FilesUnder(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    const bool read = name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST-") ||
                      name == "CURRENT" || name == "high_water";
    if (entry.is_regular_file() && read) files.push_back(fs::relative(entry.path(), folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Damage {
 public:
  explicit Damage(uint64_t seed) : random_(seed) {
    ManualClock clock;
    Workload workload(seed);
    for (int part = 0; part < 2; ++part) {
      RunningLedger running(&sound_, &clock, {.on_durable = [this](const ChainPosition& end) { end_ = end; }});
      running.Start();
      workload.Run(running, clock, kBatches);
      running.Stop();
      // On disk the first part comes to lie in tables, the second in the log.
      if (part == 0) WriteToDisk(sound_);
    }
    WriteToDisk(sound_);
    journal_ = JournalOf(sound_);
    for (const OpenedBlock& block : BlocksOf(sound_)) {
      for (const core::Leg& leg : block.legs) legs_.emplace_back(leg, block.stamp);
    }
    const absl::StatusOr<VerifyReport> report = Verify(sound_, sound_, Mark());
    WS_CHECK(report.ok() && report->clean(), "the store is sound at first");
  }

  void ChangeARow() {
    const std::unique_ptr<MemoryCommitLog> store = CopyOf(sound_);
    const size_t kind = Below(4 * 4);
    const bool in_key = kind % 4 == 0;
    if (kind / 4 == 3) return ChangeABlock(*store, in_key);
    const auto table = static_cast<Table>(kind / 4);
    const std::vector<std::string> keys = KeysOf(sound_, table);
    const std::string key = keys[Below(keys.size())];
    std::string value = **sound_.Get(table, key);
    std::string changed_key = key;
    const std::string what = Change(in_key ? changed_key : value);
    store->Tamper(table, key, nullptr);
    store->Tamper(table, changed_key, &value);
    ++(in_key ? tally_.keys_of_rows : tally_.rows);
    const std::string place =
        fmt::format("{} of a row of table {}, {}", in_key ? "the key" : "the value", static_cast<int>(table), what);
    ExpectFound(*store, place, NamesOf(table, key));
    // A rebuild gives the rows back, to the byte.
    MemoryCommitLog rebuilt;
    const absl::Status status = CopyWithNewRows(*store, &rebuilt).status();
    if (!status.ok() || StoreAsText(rebuilt) != StoreAsText(sound_)) {
      Fault(place + ": a rebuild does not repair it: " + std::string(status.message()));
    }
    ++tally_.repaired;
  }

  void ChangeAFile() {
    TemporaryFolder folder;
    const LedgerFolders folders = CopyToDisk(folder);
    const std::string name = files_[Below(files_.size())];
    std::string bytes = ReadFile(fs::path(folders.data) / name);
    if (bytes.empty()) return;
    const std::string place = fmt::format("{}, {}", name, Change(bytes));
    std::ofstream(fs::path(folders.data) / name, std::ios::binary | std::ios::trunc) << bytes;

    bool same = false;
    const bool found = VerifyOnDisk(folders, &same);
    ++(found ? tally_.files_found : tally_.files_harmless);
    if (!found) fmt::print("harmless: {}\n", place);
    if (!found && !same) Fault(place + ": not found, and the journal is another");
    TryARebuild(folder, place);
    TryAStart(folder, place, name, bytes);
  }

  const Tally& tally() const { return tally_; }

 private:
  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }

  // One byte becomes another, as often by one bit as at will.
  std::string Change(std::string& bytes) {
    const size_t at = Below(bytes.size());
    const char before = bytes[at];
    const auto flip = Below(2) == 0 ? 1U << Below(8) : 1U + static_cast<unsigned>(Below(255));
    bytes[at] = static_cast<char>(static_cast<unsigned char>(before) ^ flip);
    return fmt::format("byte {} of {}: {:02x} to {:02x}", at, bytes.size(), static_cast<uint8_t>(before),
                       static_cast<uint8_t>(bytes[at]));
  }

  void Fault(const std::string& fault) {
    ++tally_.faults;
    fmt::print(stderr, "FAULT {}\n", fault);
  }

  absl::StatusOr<std::optional<HighWaterMark>> Mark() const { return HighWaterMark{end_, false}; }

  void ChangeABlock(MemoryCommitLog& store, bool in_key) {
    auto [first, bytes] = journal_[Below(journal_.size())];
    std::string place;
    uint64_t changed_first = first;
    if (in_key) {
      changed_first ^= uint64_t{1} << Below(64);
      place = fmt::format("the key of block {} became {}", first, changed_first);
    } else {
      place = fmt::format("block {}, {}", first, Change(bytes));
    }
    store.TamperBlock(first, nullptr);
    store.TamperBlock(changed_first, &bytes);
    ++(in_key ? tally_.keys_of_blocks : tally_.blocks);
    // Of a block that went elsewhere the journal has a gap; its last one is missed by the high-water mark.
    ExpectFound(store, place,
                {fmt::format("block at sequence {}:", first), fmt::format("follows leg {};", first - 1),
                 fmt::format("ends at leg {},", first - 1), fmt::format("is stored under {}", first)});
    MemoryCommitLog rebuilt;
    const absl::StatusOr<Rebuilt> result = CopyWithNewRows(store, &rebuilt);
    // That it is short at its end, only the mark tells.
    const bool short_of_mark = result.ok() && !CheckHighWater(store, result->end, HighWaterMark{.position = end_}).ok();
    if (result.ok() && !short_of_mark) Fault(place + ": a rebuild accepts it");
    ++tally_.left_alone;
  }

  // What a fault of this row must contain, one of them: how it names the leg or the snapshot.
  std::vector<std::string> NamesOf(Table table, const std::string& key) const {
    if (table == Table::kSnapshot) return {"snapshot at leg ", "the snapshot is of leg ", "the snapshot"};
    std::vector<std::string> names;
    core::Ledger ledger(legs_.front().second.business_date);
    for (const auto& [leg, stamp] : legs_) {
      WS_CHECK(ledger.Apply(leg, stamp).ok(), "the journal is sound");
      RowBatch rows;
      AddRowsAfter(ledger, leg, &rows);
      rows.ForEach([&](Table t, bool, std::string_view k, std::string_view) {
        if (t == table && k == key) names.push_back(fmt::format("leg {}: ", leg.sequence));
      });
    }
    return names;
  }

  void ExpectFound(const MemoryCommitLog& store, const std::string& place, const std::vector<std::string>& names) {
    const absl::StatusOr<VerifyReport> report = Verify(store, store, Mark());
    if (!report.ok() || report->clean()) return Fault(place + ": not found");
    for (const std::string& fault : report->faults) {
      for (const std::string& name : names) {
        if (fault.find(name) != fault.npos) return;
      }
    }
    Fault(fmt::format("{}: not named; the first of {} faults: {}", place, report->fault_count, report->faults.front()));
  }

  // Blocks that are not there yet, rows that are other, each once.
  static void AddWhatIsNew(const MemoryCommitLog& store, RocksCommitLog* disk) {
    const size_t there = JournalOf(*disk).size();
    const std::vector<std::pair<uint64_t, std::string>> blocks = JournalOf(store);
    for (size_t i = there; i < blocks.size(); ++i) {
      const SealedBlock block{blocks[i].first, blocks[i].first, blocks[i].second};
      WS_CHECK(AppendAndWait(*disk, &block, RowBatch()).outcome == CommitOutcome::kDurable, "a block is written");
    }
    RowBatch rows;
    for (int i = 0; i < kTables; ++i) {
      const auto table = static_cast<Table>(i);
      for (const std::string& key : KeysOf(*disk, table)) {
        if (!(*store.Get(table, key)).has_value()) rows.Delete(table, key);
      }
      for (const std::string& key : KeysOf(store, table)) {
        if (*disk->Get(table, key) != *store.Get(table, key)) rows.Put(table, key, **store.Get(table, key));
      }
    }
    WS_CHECK(AppendAndWait(*disk, nullptr, rows).outcome == CommitOutcome::kDurable, "the rows are written");
  }

  void WriteToDisk(const MemoryCommitLog& store) {
    const std::string ledger = pristine_.Under("data/ledger");
    fs::create_directories(pristine_.Under("data"));
    absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(ledger);
    WS_CHECK(log.ok(), "a folder for the store");
    AddWhatIsNew(store, log->get());
    WS_CHECK(HighWaterFile(pristine_.Under("data/high_water")).Write(end_).ok(), "a file for the mark");
    log->reset();
    files_ = FilesUnder(pristine_.Under("data"));
  }

  LedgerFolders CopyToDisk(const TemporaryFolder& folder) const {
    fs::remove_all(folder.Under("data"));
    fs::remove_all(folder.Under("scratch"));
    fs::copy(pristine_.Under("data"), folder.Under("data"), fs::copy_options::recursive);
    fs::create_directories(folder.Under("scratch"));
    return {folder.Under("data"), folder.Under("data/ledger"), folder.Under("scratch")};
  }

  // As switchctl journal verify does it. `same`: the journal is what it was.
  bool VerifyOnDisk(const LedgerFolders& folders, bool* same) const {
    const auto mark = HighWaterFile(folders.data + "/high_water").Read();
    const absl::StatusOr<std::unique_ptr<RocksCommitLog>> log =
        RocksCommitLog::OpenToRead(folders.ledger, folders.scratch);
    if (!log.ok()) return true;
    *same = JournalOf(**log) == journal_;
    const absl::StatusOr<VerifyReport> report = Verify(**log, **log, mark);
    return !report.ok() || !report->clean();
  }

  // It either repairs, or leaves everything as it is.
  void TryARebuild(const TemporaryFolder& folder, const std::string& place) {
    const LedgerFolders folders{folder.Under("data"), folder.Under("data/ledger"), folder.Under("scratch")};
    const auto contents = [&] {
      std::map<std::string, std::string> all;
      for (const std::string& file : files_) all[file] = ReadFile(fs::path(folders.data) / file);
      return all;
    };
    const std::map<std::string, std::string> before = contents();
    if (!RebuildLedger(folders).ok()) {
      if (contents() != before) Fault(place + ": a rebuild that failed changed the ledger");
      ++tally_.left_alone;
      return;
    }
    bool same = false;
    HighWaterFile mark(folders.data + "/high_water");
    // A slot that was damaged is mended by the next write.
    if (!mark.Write(end_).ok() || !mark.Write(end_).ok()) Fault(place + ": the mark can't be written");
    if (VerifyOnDisk(folders, &same) || !same) Fault(place + ": a rebuild that succeeded left faults");
    ++tally_.repaired;
  }

  // A switch refuses it, or comes to the same place.
  void TryAStart(const TemporaryFolder& folder, const std::string& place, const std::string& name,
                 const std::string& bytes) {
    const LedgerFolders folders = CopyToDisk(folder);
    std::ofstream(fs::path(folders.data) / name, std::ios::binary | std::ios::trunc) << bytes;
    const auto mark = HighWaterFile(folders.data + "/high_water").Read();
    const absl::StatusOr<std::unique_ptr<RocksCommitLog>> log = RocksCommitLog::Open(folders.ledger);
    if (!mark.ok() || !log.ok()) return;
    core::Ledger ledger(ShopDate());
    const absl::StatusOr<Recovered> recovered = Recover(**log, **log, &ledger);
    if (!recovered.ok()) return;
    if (!CheckHighWater(**log, recovered->position, *mark).ok()) return;
    if (recovered->position.last_sequence != end_.last_sequence || recovered->position.sha256 != end_.sha256 ||
        ledger.SumOfBalances() != core::Money()) {
      Fault(fmt::format("{}: a start accepts it, at leg {} of {}", place, recovered->position.last_sequence,
                        end_.last_sequence));
    }
  }

  std::mt19937_64 random_;
  MemoryCommitLog sound_;
  ChainPosition end_;
  std::vector<std::pair<uint64_t, std::string>> journal_;
  std::vector<std::pair<core::Leg, core::BlockStamp>> legs_;
  TemporaryFolder pristine_;
  std::vector<std::string> files_;
  Tally tally_;
};

bool ReadNumber(const char* text, uint64_t* number) {
  const char* end = text + std::strlen(text);
  const auto [parsed_to, error] = std::from_chars(text, end, *number);
  return error == std::errc() && parsed_to == end;
}

int Run(int argc, char** argv) {
  uint64_t rounds = 500;
  uint64_t seed = 1;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    uint64_t* number = option == "--rounds" ? &rounds : option == "--seed" ? &seed : nullptr;
    if (number == nullptr || i + 1 == argc || !ReadNumber(argv[i + 1], number)) {
      fmt::print(stderr, "{} is not understood; expected: damage [--rounds N] [--seed S]\n", option);
      return 2;
    }
  }
  Damage damage(seed);
  for (uint64_t round = 0; round < rounds; ++round) {
    if (round % 2 == 0) {
      damage.ChangeARow();
    } else {
      damage.ChangeAFile();
    }
  }
  const Tally& t = damage.tally();
  fmt::print(
      "damage --rounds {} --seed {}: changed and found: {} blocks, {} keys of blocks, {} rows, {} keys of rows, {} "
      "files; harmless: {} files; repaired by a rebuild: {}, left alone by it: {}; {} faults\n",
      rounds, seed, t.blocks, t.keys_of_blocks, t.rows, t.keys_of_rows, t.files_found, t.files_harmless, t.repaired,
      t.left_alone, t.faults);
  return t.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace waystation::storage

int main(int argc, char** argv) {
  return waystation::storage::Run(argc, argv);
}
