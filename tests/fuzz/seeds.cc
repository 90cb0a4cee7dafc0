// seeds FOLDER: writes a small corpus for each fuzz target, in a folder of its name. Sound inputs, which the fuzzer
// damages.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "storage/block.h"
#include "tests/storage/stored_forms.h"
#include "waystation/journal/v1/journal.pb.h"

namespace waystation::storage {
namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& target, const std::string& bytes) {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream file(folder_ / target / ("seed" + std::to_string(++count_)), std::ios::binary);
    file << bytes;
    file.close();
    failed_ = failed_ || !file;
  }
  bool failed() const { return failed_; }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
  bool failed_ = false;
};

std::string SealedBlockOf(const std::vector<core::Leg>& legs) {
  ChainPosition position;
  BlockBuilder builder;
  const core::TimePoint time{std::chrono::milliseconds(1'795'219'200'000)};
  builder.Start(position, {time, *core::BusinessDate::FromNumber(20261121)});
  uint64_t sequence = 0;
  for (core::Leg leg : legs) {
    leg.sequence = ++sequence;
    builder.Add(leg);
  }
  SealedBlock sealed;
  builder.Seal(&position, &sealed);
  return sealed.bytes;
}

void AddBlock(const std::vector<core::Leg>& legs, Seeds& seeds) {
  const std::string bytes = SealedBlockOf(legs);
  seeds.Add("sealed_block_fuzz", bytes);
  journal::v1::SealedBlock sealed;
  if (sealed.ParseFromString(bytes)) seeds.Add("block_body_fuzz", sealed.block());
}

bool Write(const std::string& folder) {
  Seeds seeds(folder);
  for (const core::Leg& leg : SampleLegs()) AddBlock({leg}, seeds);
  AddBlock(SampleLegs(), seeds);
  for (const char* text : {"50", "50.5", "-0.01", "92233720368547758.07", "2026-11-21", "2024-02-29", "440106000017",
                           "18446744073709551615", "便民服务站", "*明"}) {
    seeds.Add("text_fuzz", text);
  }
  return !seeds.failed();
}

}  // namespace
}  // namespace waystation::storage

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: seeds FOLDER\n", stderr);
    return 2;
  }
  return waystation::storage::Write(argv[1]) ? 0 : 1;
}
