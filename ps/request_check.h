// What a server looks at before it lets a request change anything: cells that are its own, sizes,
// finite numbers, and what the mode of the job allows.
#ifndef CONVOY_PS_REQUEST_CHECK_H_
#define CONVOY_PS_REQUEST_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "common/mode.h"
#include "common/net/exchange.h"
#include "common/placement/placement.h"
#include "common/placement/slice_tree.h"
#include "ps/consistency.h"
#include "ps/table/row_ids.h"

namespace convoy {

// Thread-safe. Errors say which worker's request names what, and what was expected:
// InvalidArgument, or FailedPrecondition for cells that are not on this server.
class RequestCheck {
 public:
  // `placement` and `tree` outlive this.
  RequestCheck(uint32_t rank, const Mode& mode, const Placement* placement, const SliceTree* tree);

  // The contributions, and what they are a part of. Reads every value once. `rows`: the ids of each
  // of request.rows.
  absl::Status Push(const ExchangeRequest& request, std::span<const RowIds> rows) const;
  // `rows`: of each of request.pull_rows.
  absl::Status Pull(const ExchangeRequest& request, std::span<const RowIds> rows) const;

 private:
  absl::Status NotFiniteError(const ExchangeRequest& request, const std::string& what,
                              const std::string& where) const;
  absl::Status CheckRows(const ExchangeRequest& request, const RowContribution& rows,
                         const RowIds& ids) const;
  // Ids of one message, `bytes` of them: of a table that there is, of this server, in order.
  absl::Status CheckIds(const char* what, uint32_t table, size_t bytes, const RowIds& ids) const;
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
