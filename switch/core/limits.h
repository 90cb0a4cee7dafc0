#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "switch/core/money.h"

// The bounds of everything that could grow, in one place.
namespace waystation::core {

// --- shapes of input ---
inline constexpr size_t kInstitutionCodeDigits = 12;
inline constexpr size_t kOperatorIdDigits = 10;
inline constexpr size_t kMaxRequestIdBytes = 64;
inline constexpr size_t kMaxBillerIdBytes = 32;
inline constexpr size_t kMaxCustomerNumberBytes = 32;
inline constexpr size_t kMaxNameBytes = 120;
inline constexpr size_t kMaxReasonBytes = 200;
inline constexpr size_t kMaxBillerReferenceBytes = 64;
inline constexpr size_t kMaxVoucherBytes = 64;
inline constexpr size_t kMaxBillerCodeBytes = 32;
inline constexpr size_t kMaxSigningInstitutions = 8;
inline constexpr size_t kMaxRequestMessageBytes = 64 * 1024;

// --- money ---
// One hundred million yuan: the most that one request may move or grant.
inline constexpr Money kMaxAmount = Money::Fen(10'000'000'000);
// Ten trillion yuan: a counter purchase that would lift a balance above it is refused, so that sums always fit.
inline constexpr Money kMaxBalance = Money::Fen(1'000'000'000'000'000);
// Rule of the business: a counter purchase is at least 500 yuan.
inline constexpr Money kLeastCounterPurchase = Money::Fen(50'000);

// --- time ---
inline constexpr std::chrono::milliseconds kDefaultPayWait{15'000};
inline constexpr std::chrono::milliseconds kMaxPayWait{60'000};
// Kept back from a caller's deadline so that the answer still reaches him.
inline constexpr std::chrono::milliseconds kDeadlineReserve{20};
inline constexpr std::chrono::minutes kInquiryTokenValidity{10};
inline constexpr std::chrono::milliseconds kLateApprovalRetry{50};
// When the resolver tries again to find a place with a biller.
inline constexpr std::chrono::milliseconds kResolverPlaceRetry{20};
// How often it asks a biller that is out of service, of all payments together; and how often it comes back to each.
inline constexpr std::chrono::milliseconds kResolverAsksWhileOpen{1'000};
inline constexpr std::chrono::milliseconds kResolverLooksWhileOpen{60'000};
// An adapter that has not answered so long after its deadline is answered for.
inline constexpr std::chrono::milliseconds kDeadlineGrace{500};
// For how long a request of a station waits for a place with its biller.
inline constexpr std::chrono::milliseconds kMaxPlaceWait{2'000};

// --- a payment ---
// A payment keeps its whole history. Cancels that the biller refuses add to it, so from kMaxChangesBeforeCancel on no
// more cancels are taken, and the rest is left for what must be recorded.
inline constexpr size_t kMaxStateChanges = 32;
inline constexpr size_t kMaxChangesBeforeCancel = 24;

// --- queues and batches ---
// Commands waiting for the sequencer before new work is refused; outcomes are always taken (their number is bounded by
// the payments in progress).
inline constexpr size_t kMaxSequencerQueue = 65'536;
// Larger blocks would save little more of the sync, leave nothing to decide while one is being committed, and hold up
// reads, which are answered between two.
inline constexpr size_t kMaxCommandsPerBlock = 192;
// Reads are answered between blocks, so many at a time.
inline constexpr size_t kMaxReadsAtATime = 128;
// So many are held until what their answers rest on is durable.
inline constexpr size_t kMaxReadsHeld = 1'024;
// One is committed while the next is decided. With more, outcomes and reads wait longer, and no more is paid.
inline constexpr size_t kMaxBlocksInFlight = 2;
// A block of so many legs is worth a thread that commits it while the next is decided.
inline constexpr size_t kLegsToOverlap = 128;
inline constexpr size_t kDefaultMaxInProgressPerWorker = 20'000;
// Of those, orders to pay that have not begun: what one PayStream may have unanswered, a tenth of a second's work.
inline constexpr size_t kMaxOrdersWaiting = 4'096;
// Orders to pay that have begun, and whose holds are not durable: more are begun as these become so, since what stands
// in the sequencer holds up outcomes, and on the worker inquiries.
inline constexpr size_t kMaxHoldsUnderWay = 512;
// Inquiries in progress beside as many payments and cancels as may be.
inline constexpr size_t kInquiriesBeyond = 1'024;
// Queries and repeats of the resolver: their share of what a biller's card allows in flight is a quarter, up to this.
inline constexpr size_t kMaxResolvingPerBiller = 64;
inline constexpr size_t kMaxLateApprovalsPerBiller = kMaxResolvingPerBiller;
// Requests of stations at a time to a biller that was out of service and has answered a probe.
inline constexpr uint32_t kMaxTrialsPerBiller = 5;
// Payments of one biller without an outcome; beyond, the biller counts as out of service.
inline constexpr size_t kMaxUnresolvedPerBiller = 100'000;

// --- stopping ---
// How long what is in progress may take to finish, and the calls that are left to be closed.
inline constexpr std::chrono::milliseconds kDrainLimit{10'000};
inline constexpr std::chrono::milliseconds kDrainPoll{5};
// For how long calls are refused in words at least: one that comes in as the server closes is answered by a bare
// CANCELLED.
inline constexpr std::chrono::milliseconds kRefuseAtLeast{200};
inline constexpr std::chrono::milliseconds kShutdownLimit{2'000};

// --- reads ---
inline constexpr uint32_t kDefaultPageSize = 100;
inline constexpr uint32_t kMaxPageSize = 500;
// Rows that one page of a list may look at; a page that selects few of them ends early, and the next goes on.
inline constexpr size_t kMaxRowsPerPage = 20'000;
inline constexpr int kMaxListDays = 366;
// A day cut opens a date at most this much later.
inline constexpr int kMaxDayCutDays = 31;
// Of a PayStream: payments a message either way, and how many may be unanswered or unread before no more are taken.
inline constexpr size_t kMaxPaymentsPerMessage = 256;
inline constexpr size_t kMaxPayStreamBacklog = 4'096;
inline constexpr size_t kMaxPayStreams = 128;
// Events a watcher may be behind before its stream is ended.
inline constexpr size_t kMaxWatchBacklog = 4'096;
inline constexpr size_t kMaxWatchers = 20'000;
// Followers of the journal at a time. Each holds one message: so many bytes of blocks, and what the last of them has
// above that.
inline constexpr size_t kMaxFollowers = 32;
inline constexpr size_t kFeedMessageBytes = 512 * 1024;
// How often the journal's end is looked at for those who have read up to it.
inline constexpr std::chrono::milliseconds kFeedInterval{10};

// --- storage ---
inline constexpr std::chrono::milliseconds kDefaultSnapshotInterval{1'000};
// The high-water mark is at most so far behind what was committed.
inline constexpr std::chrono::milliseconds kHighWaterInterval{100};
// RocksDB: the log that a start may have to replay, all memtables together, and the cache of blocks.
inline constexpr uint64_t kMaxWalBytes = 512 << 20;
inline constexpr size_t kMaxMemtableBytes = 96 << 20;
inline constexpr size_t kMaxBlockCacheBytes = 64 << 20;
// How often the free disk space is looked at.
inline constexpr std::chrono::milliseconds kDiskWatchInterval{500};
// Faults that a verification lists; it counts them all.
inline constexpr size_t kMaxFaultsListed = 100;

// --- log ---
// Lines that wait to be written. From the first number on only warnings and worse are taken, and none from the second
// on: what comes beyond is lost, counted, and told of.
inline constexpr size_t kMaxLogLines = 6'144;
inline constexpr size_t kMaxLogLinesOfTrouble = 8'192;
// Of a message or the value of a field; what is longer is cut.
inline constexpr size_t kMaxLogTextBytes = 2'000;
// How long the end of the process waits for them, and how long its abort does.
inline constexpr std::chrono::milliseconds kLogFlushLimit{2'000};
inline constexpr std::chrono::milliseconds kLogAbortLimit{500};

}  // namespace waystation::core
