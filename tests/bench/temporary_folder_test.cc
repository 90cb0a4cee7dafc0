#include "bench/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace waystation::bench {
namespace {

using ::testing::HasSubstr;

TEST(TemporaryFolder, IsRemovedWithAllInIt) {
  std::string path;
  {
    const auto folder = TemporaryFolder::Make(testing::TempDir());
    ASSERT_TRUE(folder.ok()) << folder.status();
    path = (*folder)->path();
    std::filesystem::create_directories(path + "/a/b");
    std::ofstream(path + "/a/b/file") << "text";
    EXPECT_TRUE(std::filesystem::exists(path + "/a/b/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryFolder, AParentThatIsNotThereIsNamed) {
  const auto folder = TemporaryFolder::Make("/nowhere");
  EXPECT_THAT(std::string(folder.status().message()), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace waystation::bench
