// A program that brings a model of its own, whose constructor crashes.
#include "launcher/main.h"

namespace {

absl::StatusOr<std::unique_ptr<convoy::Model>> MakeModelThatCrashes(const convoy::v1::Model&,
                                                                    const convoy::ModelInput&) {
  volatile int* nothing = nullptr;
  *nothing = 1;
  return absl::InternalError("unreachable");
}

}  // namespace

int main(int argc, char** argv) {
  return convoy::Main(argc, argv, {{"crash", &MakeModelThatCrashes}});
}
