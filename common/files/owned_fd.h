// A file descriptor that is closed with its owner.
#ifndef CONVOY_COMMON_FILES_OWNED_FD_H_
#define CONVOY_COMMON_FILES_OWNED_FD_H_

#include <unistd.h>

#include <utility>

namespace convoy {

class OwnedFd {
 public:
  OwnedFd() = default;
  // Takes ownership of `fd`; a negative number means none.
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~OwnedFd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Gives up ownership.
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace convoy

#endif  // CONVOY_COMMON_FILES_OWNED_FD_H_
