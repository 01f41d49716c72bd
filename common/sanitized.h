// Whether a sanitizer with an allocator of its own watches this build.
#ifndef CONVOY_COMMON_SANITIZED_H_
#define CONVOY_COMMON_SANITIZED_H_

namespace convoy {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace convoy

#endif  // CONVOY_COMMON_SANITIZED_H_
