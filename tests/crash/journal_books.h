#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "waystation/journal/v1/journal.pb.h"

namespace waystation::crash {

// What the switch's journal says was done, leg by leg, apart from what its API answers.
struct JournalBooks {
  struct Payment {
    std::string request_id;
    int64_t amount_fen = 0;
    std::vector<uint32_t> states;
    int captures = 0;
  };
  struct Station {
    std::map<std::string, Payment> payments;  // by payment id
    std::map<std::string, int> request_ids;   // how often each was accepted, payments and purchases
    int64_t balance_fen = 0;                  // of the station's last leg
  };

  // A leg of a payment that the journal does not have goes to `strays`.
  static JournalBooks Read(const std::vector<journal::v1::Leg>& legs);

  std::map<std::string, Station> stations;  // by station id
  std::vector<uint64_t> strays;
};

}  // namespace waystation::crash
