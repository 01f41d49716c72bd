#include "data_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace convoy::testing {

TemporaryFolder::TemporaryFolder() : path_(::testing::TempDir() + "/convoy-data-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string TemporaryFolder::operator/(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string TemporaryFolder::Write(std::string_view name, std::string_view contents) const {
  const std::string path = *this / name;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
  return path;
}

std::string ReadWholeFile(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  return contents.str();
}

void SetModificationTime(const std::string& path, int64_t mtime_ns) {
  timespec time;
  time.tv_sec = mtime_ns / 1'000'000'000;
  time.tv_nsec = mtime_ns % 1'000'000'000;
  const timespec times[2] = {time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

std::string Gzipped(std::string_view contents) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, contents.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
  stream.avail_in = static_cast<uInt>(contents.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string BigEndianBytes(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string Idx(uint8_t type, const std::vector<uint32_t>& sizes, std::string_view elements) {
  std::string out = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const uint32_t size : sizes) out += BigEndianBytes(size, 4);
  return out.append(elements);
}

std::string Mutated(std::string contents, int count, std::mt19937_64& random) {
  for (int i = 0; i < count && !contents.empty(); ++i) {
    const size_t at = random() % contents.size();
    switch (random() % 8) {
      case 0:
        contents.resize(at);
        break;
      case 1:
        contents.erase(at, 1 + random() % 8);
        break;
      case 2:
        contents.insert(at, contents.substr(at, 1 + random() % 16));
        break;
      case 3:
        contents[at] = static_cast<char>(contents[at] ^ (1 << random() % 8));
        break;
      default:
        contents[at] = static_cast<char>(random());
    }
  }
  return contents;
}

uint64_t PrintedSeed() {
  const char* const given = std::getenv("CONVOY_TEST_SEED");
  const uint64_t seed = given == nullptr ? 20240607 : std::strtoull(given, nullptr, 10);
  std::cout << "seed " << seed << " (CONVOY_TEST_SEED sets another)\n";
  return seed;
}

}  // namespace convoy::testing
