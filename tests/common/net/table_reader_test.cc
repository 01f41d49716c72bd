// Servers that do not answer. Those that do are in tests/integration: every model with tables is
// saved by a TableReader.
#include "common/net/table_reader.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "common/files/owned_fd.h"

namespace convoy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  const std::string& address() const { return address_; }

 private:
  const OwnedFd socket_;
  std::string address_;
};

TEST(TableReaderTest, AServerThatDoesNotAnswerIsNamedWithTheBucketOfEachQuestion) {
  const SilentServer server;
  TableReader reader(server.address(), 1, absl::Milliseconds(100));
  reader.Ask(2, 7, /*count_only=*/true);
  reader.Ask(2, 9, /*count_only=*/false);
  for (const char* const bucket : {"bucket 7 of table 2", "bucket 9 of table 2"}) {
    const auto reply = reader.Await();
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
    EXPECT_THAT(std::string(reply.status().message()),
                AllOf(HasSubstr(bucket), HasSubstr(server.address())));
  }
}

TEST(TableReaderTest, QuestionsThatAreOpenAreCalledOff) {
  const SilentServer server;
  TableReader reader(server.address(), 1, absl::InfiniteDuration());
  reader.Ask(0, 0, /*count_only=*/true);
}

}  // namespace
}  // namespace convoy
