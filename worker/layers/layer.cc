#include "worker/layers/layer.h"

#include <algorithm>
#include <utility>

namespace convoy {

int64_t PieceRows(int64_t columns) { return std::max<int64_t>(1, kGradientPiece / columns); }

int64_t ShapeSize(const ExampleShape& shape) { return shape.height * shape.width * shape.channels; }

Layer::Layer(int64_t inputs, ExampleShape output_shape, std::vector<VariableSpec> variables)
    : inputs_(inputs), output_shape_(output_shape), variables_(std::move(variables)) {}

int64_t Layer::outputs() const { return ShapeSize(output_shape_); }

}  // namespace convoy
