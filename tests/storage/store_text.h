#pragma once

#include <string>
#include <string_view>

#include "storage/memory_commit_log.h"

namespace waystation::storage {

// A whole store as text, a row a line: "journal|requests|payments|snapshot KEY VALUE", in hexadecimal. Lines that begin
// with # say something to people.
std::string StoreAsText(const MemoryCommitLog& store);
// Stops the process where the text is not of that form.
void ReadStoreText(std::string_view text, MemoryCommitLog* store);

// Copies blocks and rows as they are.
void CopyStore(const MemoryCommitLog& from, CommitLog* to);

}  // namespace waystation::storage
