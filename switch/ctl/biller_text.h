#pragma once

#include <string>

#include "waystation/v1/admin_service.pb.h"

// Billers as people read them.
namespace waystation::ctl {

// Its capability card, and its lane where the answer has it.
std::string BillerDetails(const v1::Biller& biller);

}  // namespace waystation::ctl
