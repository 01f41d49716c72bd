// Words that several commands about checkpoints use.
#ifndef CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_TEXTS_H_
#define CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_TEXTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/checkpoint/manifest.h"

namespace convoy {

// The last part of the folder's path: "step-00001200".
std::string FolderName(const std::string& path);
// "784 x 128"; "1 value" for the shape [].
std::string ShapeText(const std::vector<uint64_t>& shape);
// How long ago: "12 s", "3 min", "5 h", "9 days". `created`: RFC 3339. "in the future" if the
// clocks disagree.
std::string AgeText(const std::string& created, absl::Time now);
// "2026-11-26 14:05:09 UTC".
std::string CreatedText(const std::string& created);
// Bytes of all files.
uint64_t FileBytes(const CheckpointManifest& manifest);
// "resume of runs/a@800".
std::string AncestorText(const CheckpointAncestor& ancestor);

}  // namespace convoy

#endif  // CONVOY_LAUNCHER_COMMANDS_CHECKPOINT_TEXTS_H_
