// Images as matrices of 3x3 neighbourhoods, by which a convolution becomes a matrix product.
// Chellapilla et al., "High performance convolutional neural networks for document processing",
// 2006.
#ifndef CONVOY_WORKER_LAYERS_IM2COL_H_
#define CONVOY_WORKER_LAYERS_IM2COL_H_

#include <cstdint>

#include "worker/data/dataset.h"

namespace convoy {

// `image`: [height, width, channels]. Row (y * width + x) of `patches`, row-major
// [height * width, 9 * channels], gets the 3x3 neighbourhood of pixel (y, x), row by row, channels
// innermost; zeros outside the image.
void ImageToPatches(const float* image, const ExampleShape& shape, float* patches);

// The transposed map: adds every value of `patches` to the pixel that it came from, over what
// `image` holds.
void AddPatchesToImage(const float* patches, const ExampleShape& shape, float* image);

}  // namespace convoy

#endif  // CONVOY_WORKER_LAYERS_IM2COL_H_
