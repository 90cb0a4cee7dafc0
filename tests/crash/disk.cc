#include "tests/crash/disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::crash {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPageBytes = 4096;

std::string ParentOf(const std::string& path) {
  return fs::path(path).parent_path().string();
}

void MoveRealFile(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  WS_CHECK(!error, fmt::format("{} can't be moved to {}: {}", from, to, error.message()));
}

uint64_t Below(std::mt19937_64& random, uint64_t end) {
  return std::uniform_int_distribution<uint64_t>(0, end - 1)(random);
}

// Pages of [from, to) that were never written: they read as zeros.
void LeaveHoles(const std::string& path, uint64_t from, uint64_t to, std::mt19937_64& random) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (uint64_t at = from; at < to;) {
    const uint64_t end = std::min(to, (at / kPageBytes + 1) * kPageBytes);
    if (Below(random, 2) == 0) {
      file.seekp(static_cast<std::streamoff>(at));
      file << std::string(end - at, '\0');
    }
    at = end;
  }
  WS_CHECK(file.good(), path + " can't be changed");
}

void PutBack(const std::string& path, uint64_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
  WS_CHECK(file.good(), path + " can't be changed");
}

}  // namespace

Disk::File::~File() {
  std::error_code ignored;
  if (in_attic) fs::remove(at, ignored);
}

Disk::FilePtr Disk::Create(const std::string& path) {
  if (const FilePtr old = Find(path)) MoveToAttic(*old);
  auto file = std::make_shared<File>();
  file->at = path;
  Note({Change::Kind::kMade, path, {}, file});
  return file;
}

Disk::FilePtr Disk::Find(const std::string& path) const {
  const auto it = seen_.find(path);
  return it == seen_.end() ? nullptr : it->second;
}

bool Disk::Delete(const std::string& path) {
  const FilePtr file = Find(path);
  if (file == nullptr) return false;
  MoveToAttic(*file);
  Note({Change::Kind::kRemoved, path, {}, nullptr});
  return true;
}

bool Disk::Rename(const std::string& from, const std::string& to) {
  const FilePtr file = Find(from);
  if (file == nullptr) return false;
  if (const FilePtr old = Find(to); old != nullptr && old != file) MoveToAttic(*old);
  MoveRealFile(from, to);
  file->at = to;
  Note({Change::Kind::kRenamed, from, to, file});
  return true;
}

void Disk::WillOverwrite(File& file, uint64_t at, uint64_t bytes) {
  if (at >= file.size) return;
  std::string before(std::min(bytes, file.size - at), '\0');
  std::ifstream real(file.at, std::ios::binary);
  real.seekg(static_cast<std::streamoff>(at));
  real.read(before.data(), static_cast<std::streamsize>(before.size()));
  WS_CHECK(real.good(), file.at + " can't be read");
  file.overwritten.push_back({at, std::move(before)});
}

void Disk::WasCut(File& file, uint64_t size) {
  file.size = size;
  file.durable = std::min(file.durable, size);
  std::erase_if(file.overwritten, [&](const File::Overwritten& write) { return write.at >= size; });
  for (File::Overwritten& write : file.overwritten) {
    if (write.at + write.before.size() > size) write.before.resize(size - write.at);
  }
}

void Disk::Synced(File& file) {
  file.durable = file.size;
  file.overwritten.clear();
}

void Disk::MadeFolder(const std::string& path) {
  Note({Change::Kind::kMadeFolder, path, {}, nullptr});
}

void Disk::SyncFolder(const std::string& path) {
  std::vector<Change> left;
  for (Change& change : unsynced_) {
    if (ParentOf(change.path) == path) {
      Apply(change, durable_);
    } else {
      left.push_back(std::move(change));
    }
  }
  unsynced_ = std::move(left);
}

void Disk::MoveToAttic(File& file) {
  const std::string to = fmt::format("{}/{}", attic_, ++moved_);
  MoveRealFile(file.at, to);
  file.at = to;
  file.in_attic = true;
}

void Disk::Note(Change change) {
  Apply(change, seen_);
  unsynced_.push_back(std::move(change));
}

void Disk::Apply(const Change& change, Names& names) {
  switch (change.kind) {
    case Change::Kind::kMade: names[change.path] = change.file; break;
    case Change::Kind::kRemoved: names.erase(change.path); break;
    case Change::Kind::kRenamed:
      // Also of a step of it that was itself lost.
      std::erase_if(names, [&](const auto& entry) { return entry.second == change.file; });
      names[change.to] = change.file;
      break;
    case Change::Kind::kMadeFolder: break;
  }
}

void Disk::KeepSome(std::mt19937_64& random) {
  const uint64_t how = Below(random, 3);
  const uint64_t first = how == 0 ? 0 : how == 1 ? unsynced_.size() : Below(random, unsynced_.size() + 1);
  std::set<std::string> folders_lost;
  for (size_t i = 0; i < unsynced_.size(); ++i) {
    const bool keep = i < first;
    if (keep) {
      Apply(unsynced_[i], durable_);
    } else if (unsynced_[i].kind == Change::Kind::kMadeFolder) {
      folders_lost.insert(unsynced_[i].path);
    }
  }
  unsynced_.clear();
  for (const std::string& folder : folders_lost) {
    std::erase_if(durable_, [&](const auto& entry) { return ParentOf(entry.first) == folder; });
  }
  // Whatever is in them that the model does not know (the database's own log) goes with them.
  for (const auto& [path, file] : seen_) {
    if (folders_lost.contains(ParentOf(path)) && !file->in_attic) MoveToAttic(*file);
  }
  for (const std::string& folder : folders_lost) fs::remove_all(folder);
}

void Disk::UndoOverwrites(File& file, std::mt19937_64& random) {
  std::vector<File::Overwritten> writes = std::exchange(file.overwritten, {});
  if (writes.empty()) return;
  const uint64_t how = Below(random, 4);
  if (how == 0) return;
  if (how == 3) {
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      for (uint64_t from = 0; from < write->before.size();) {
        const uint64_t to =
            std::min<uint64_t>(write->before.size(), from + kPageBytes - (write->at + from) % kPageBytes);
        if (Below(random, 2) == 0) {
          PutBack(file.at, write->at + from, std::string_view(write->before).substr(from, to - from));
        }
        from = to;
      }
    }
    return;
  }
  // So many of them are kept, and of the next one a part.
  const uint64_t kept = how == 1 ? 0 : Below(random, writes.size());
  const uint64_t part = how == 1 ? 0 : Below(random, writes[kept].before.size() + 1);
  for (uint64_t i = writes.size(); i-- > kept;) {
    const uint64_t from = i == kept ? part : 0;
    PutBack(file.at, writes[i].at + from, std::string_view(writes[i].before).substr(from));
  }
}

void Disk::CutTail(File& file, std::mt19937_64& random) {
  const uint64_t tail = file.size - file.durable;
  if (tail > 0) {
    const uint64_t how = Below(random, 4);
    uint64_t kept = 0;
    if (how == 0) kept = tail;
    if (how >= 2) kept = Below(random, tail + 1);
    const uint64_t size = file.durable + kept;
    fs::resize_file(file.at, size);
    if (how == 3) LeaveHoles(file.at, file.durable, size, random);
    file.size = size;
  }
  file.durable = file.size;
  file.sync_failed = false;
}

void Disk::LosePower(std::mt19937_64& random) {
  KeepSome(random);
  for (const auto& [path, file] : seen_) {
    if (!file->in_attic) MoveToAttic(*file);
  }
  seen_ = durable_;  // the files that nothing leads to end here
  for (const auto& [path, file] : seen_) {
    MoveRealFile(file->at, path);
    file->at = path;
    file->in_attic = false;
    UndoOverwrites(*file, random);
    CutTail(*file, random);
  }
}

}  // namespace waystation::crash
