#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "adapters/sim/books.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class BooksTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  std::unique_ptr<Books> Open(BooksUse use = BooksUse::kKeep) {
    absl::StatusOr<std::unique_ptr<Books>> books = Books::Open(path_, use);
    EXPECT_TRUE(books.ok()) << books.status();
    return *std::move(books);
  }
  std::string Text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static Entry Payment(int64_t fen) {
    Entry entry;
    entry.customer_number = "1234567800";
    entry.amount = core::Money::Fen(fen);
    entry.biller_reference = "E1";
    entry.voucher = "12345678901234567890";
    entry.at = core::TimePoint(std::chrono::milliseconds(1'795'000'000'000));
    entry.date = *core::BusinessDate::FromNumber(20261118);
    return entry;
  }
  static core::BusinessDate Day(uint32_t date) { return *core::BusinessDate::FromNumber(date); }
  static Entry Refused() {
    Entry entry = Payment(100);
    entry.code = "14";
    return entry;
  }

  static constexpr core::TimePoint kLater{std::chrono::milliseconds(1'795'100'000'000)};
  const std::string path_ = testing::TempDir() + "sim_books_test_" + std::to_string(::getpid()) + ".jsonl";
};

TEST_F(BooksTest, WhatWasNotedIsThereWhenTheyAreOpenedAgain) {
  {
    const auto books = Open();
    books->NoteRequest("electricity", "pay", "1");
    books->NoteApplied("electricity", "1", Payment(5'000));
    books->NoteRequest("electricity", "pay", "2");
    books->NoteRequest("electricity", "pay", "2");
    books->NoteRequest("electricity", "query", "2");
    books->NoteDeclined("electricity", "2", Refused());
    books->NoteApplied("electricity", "3", Payment(7'000));
    books->NoteTakenBack("electricity", "3", kLater, Day(20261119));
    books->NoteBarred("electricity", "4", kLater, Day(20261119));
    books->NoteApplied("gas", "1", Payment(1));
  }
  for (const BooksUse use : {BooksUse::kRead, BooksUse::kKeep}) {
    const auto books = Open(use);
    const Entry* applied = books->Find("electricity", "1");
    ASSERT_NE(applied, nullptr);
    EXPECT_EQ(applied->state, EntryState::kApplied);
    EXPECT_EQ(applied->amount, core::Money::Fen(5'000));
    EXPECT_EQ(applied->customer_number, "1234567800");
    EXPECT_EQ(applied->biller_reference, "E1");
    EXPECT_EQ(applied->voucher, "12345678901234567890");
    EXPECT_EQ(applied->at, Payment(1).at);
    EXPECT_EQ(applied->date, Payment(1).date);
    EXPECT_EQ(applied->times_applied, 1u);
    EXPECT_EQ(books->Find("electricity", "2")->code, "14");
    EXPECT_EQ(books->Find("electricity", "3")->state, EntryState::kTakenBack);
    EXPECT_EQ(books->Find("electricity", "3")->amount, core::Money::Fen(7'000));
    EXPECT_EQ(books->Find("electricity", "3")->taken_back_at, kLater);
    EXPECT_EQ(books->Find("electricity", "3")->taken_back_date, Day(20261119));
    EXPECT_EQ(books->Find("electricity", "4")->state, EntryState::kBarred);
    EXPECT_EQ(books->Find("electricity", "4")->taken_back_at, kLater);
    EXPECT_EQ(books->TimesAsked("electricity", "1"), 1u);
    EXPECT_EQ(books->TimesAsked("electricity", "2"), 2u);
    EXPECT_EQ(books->TimesAsked("electricity", "3"), 0u);
    EXPECT_EQ(books->Find("electricity", "5"), nullptr);
    EXPECT_EQ(books->Find("water", "1"), nullptr);
    const BookCounts counts = books->Counts("electricity");
    EXPECT_EQ(counts.requests, 4u);
    EXPECT_EQ(counts.applied, 1u);
    EXPECT_EQ(counts.declined, 1u);
    EXPECT_EQ(counts.taken_back, 1u);
    EXPECT_EQ(counts.barred, 1u);
    EXPECT_EQ(books->Counts("gas").applied, 1u);
  }
}

TEST_F(BooksTest, EachEventIsInTheFileWhenTheCallReturns) {
  const auto books = Open();
  books->NoteRequest("electricity", "pay", "1");
  EXPECT_THAT(Text(), EndsWith("\"operation\":\"pay\"}\n"));
  books->NoteApplied("electricity", "1", Payment(5'000));
  EXPECT_THAT(Text(), HasSubstr("\"event\":\"applied\",\"reference\":\"1\",\"at_ms\":1795000000000,\"date\":20261118,"
                                "\"customer_number\":\"1234567800\",\"amount_fen\":5000"));
}

TEST_F(BooksTest, ASecondEffectOfOneReferenceIsSeen) {
  {
    const auto books = Open();
    books->NoteApplied("electricity", "1", Payment(5'000));
    books->NoteApplied("electricity", "1", Payment(5'000));
    EXPECT_EQ(books->Find("electricity", "1")->times_applied, 2u);
  }
  EXPECT_EQ(Open()->Find("electricity", "1")->times_applied, 2u);
}

TEST_F(BooksTest, ALineThatWasCutShortIsDropped) {
  Open()->NoteBarred("electricity", "4", kLater, Day(20261119));
  const std::string whole = Text();
  std::ofstream(path_, std::ios::app) << "{\"host\":\"electricity\",\"event\":\"barr";
  EXPECT_NE(Open(BooksUse::kRead)->Find("electricity", "4"), nullptr);
  EXPECT_NE(Text(), whole) << "another's file is left alone";
  const auto books = Open();
  EXPECT_EQ(Text(), whole);
  books->NoteBarred("electricity", "5", kLater, Day(20261119));
  EXPECT_NE(Open(BooksUse::kRead)->Find("electricity", "5"), nullptr);
}

TEST_F(BooksTest, ALineThatIsNoneOfOursIsNamed) {
  Open()->NoteBarred("electricity", "4", kLater, Day(20261119));
  std::ofstream(path_, std::ios::app) << "{\"host\":\"electricity\",\"event\":\"paid\",\"reference\":\"1\"}\n";
  EXPECT_THAT(std::string(Books::Open(path_, BooksUse::kKeep).status().message()),
              HasSubstr("line 2: event \"paid\" is not known"));
  std::ofstream(path_) << "applied\n";
  EXPECT_THAT(std::string(Books::Open(path_, BooksUse::kKeep).status().message()),
              HasSubstr("line 1 is not a JSON object"));
  EXPECT_THAT(std::string(Books::Open(path_ + "/none", BooksUse::kKeep).status().message()),
              HasSubstr("cannot be opened"));
}

TEST_F(BooksTest, OneKeepsThemAtATime) {
  const auto books = Open();
  const absl::Status second = Books::Open(path_, BooksUse::kKeep).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.message()), HasSubstr("books " + path_ + ": another billersim keeps them"));
  EXPECT_NE(Open(BooksUse::kRead), nullptr);
}

// What is taken back on a later day stands in the file of its own day, and is taken back in that later day's.
TEST_F(BooksTest, ADayIsReadAsItStoodAtItsEnd) {
  const auto day = [this](uint32_t date) {
    std::string seen;
    Open(BooksUse::kRead)->ForEach("electricity", Day(date), [&](const std::string& reference, const Entry& entry) {
      seen += reference + " " + std::string(ToText(entry.state)) + ", ";
    });
    return seen;
  };
  const auto books = Open();
  for (const std::string reference : {"1", "2", "3"}) books->NoteApplied("electricity", reference, Payment(5'000));
  books->NoteDeclined("electricity", "4", Refused());
  books->NoteTakenBack("electricity", "2", Payment(1).at, Day(20261118));
  books->NoteTakenBack("electricity", "3", kLater, Day(20261119));
  books->NoteBarred("electricity", "5", kLater, Day(20261119));
  EXPECT_EQ(day(20261117), "");
  EXPECT_EQ(day(20261118), "1 applied, 2 taken_back, 3 applied, 4 declined, ");
  EXPECT_EQ(day(20261119), "3 taken_back, ");
  EXPECT_EQ(day(20261120), "");
}

TEST_F(BooksTest, ADayIsReadInOrderOfReference) {
  const auto books = Open();
  Entry other_day = Payment(9);
  other_day.date = other_day.date.NextDay();
  books->NoteApplied("electricity", "30", Payment(3));
  books->NoteApplied("electricity", "10", Payment(1));
  books->NoteApplied("electricity", "20", other_day);
  books->NoteApplied("gas", "40", Payment(4));
  std::vector<std::string> seen;
  books->ForEach("electricity", Payment(1).date,
                 [&](const std::string& reference, const Entry&) { seen.push_back(reference); });
  EXPECT_THAT(seen, ElementsAre("10", "30"));
}

}  // namespace
}  // namespace waystation::adapters::sim
