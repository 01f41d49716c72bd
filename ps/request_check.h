// What a server looks at before it lets a request change anything: cells that are its own, sizes,
// finite numbers, and what the mode of the job allows.
#ifndef CONVOY_PS_REQUEST_CHECK_H_
#define CONVOY_PS_REQUEST_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/mode.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "common/placement/slice_tree.h"
#include "ps/consistency.h"

namespace convoy {

// Thread-safe. Errors say which worker's request names what, and what was expected:
// InvalidArgument, or FailedPrecondition for cells that are not on this server.
class RequestCheck {
 public:
  // `placement` and `tree` outlive this.
  RequestCheck(uint32_t rank, const Mode& mode, const Placement* placement, const SliceTree* tree);

  // The contributions, and what they are a part of. Reads every value once.
  absl::Status Push(const ExchangeRequest& request) const;
  absl::Status Pull(const ExchangeRequest& request) const;

 private:
  absl::Status NotFiniteError(const ExchangeRequest& request, const std::string& what,
                              const std::string& where) const;
  absl::Status CheckRows(const ExchangeRequest& request, const RowContribution& rows) const;
  // Ids of one message: of a table that there is, of this server, in order.
  absl::Status CheckIds(const char* what, uint32_t table, const Payload& ids) const;
  absl::Status CheckContribution(const ExchangeRequest& request,
                                 const Contribution& contribution) const;
  absl::Status CheckAnchors(const ExchangeRequest& request) const;
  absl::Status IsHere(uint32_t cell, const char* what) const;

  const uint32_t rank_;
  const Mode mode_;
  const ConsistencyPolicy policy_;
  const Placement* const placement_;
  const SliceTree* const tree_;
};

}  // namespace convoy

#endif  // CONVOY_PS_REQUEST_CHECK_H_
