// A folder for one test, removed with everything in it.
#ifndef CONVOY_TESTS_COMMON_FILES_SCRATCH_FOLDER_H_
#define CONVOY_TESTS_COMMON_FILES_SCRATCH_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace convoy {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = std::filesystem::temp_directory_path() / "convoy-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path() const { return path_; }
  std::string File(const std::string& name) const { return path_ / name; }

  // Writes `contents` into the file `name` and gives its path.
  std::string Write(const std::string& name, const std::string& contents) const {
    std::ofstream(path_ / name, std::ios::binary) << contents;
    return File(name);
  }
  std::string Contents(const std::string& name) const {
    std::ifstream stream(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  int Entries() const {
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace convoy

#endif  // CONVOY_TESTS_COMMON_FILES_SCRATCH_FOLDER_H_
