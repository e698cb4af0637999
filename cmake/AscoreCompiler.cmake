# Flags that every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Results must not depend on the optimiser's mood: no contraction into fma, no fast-math (design: numbers).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  if(ASCORE_NATIVE)
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-march=native>")
  else()
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-march=x86-64-v3>")
  endif()
endif()

add_library(ascore_warnings INTERFACE)
target_compile_options(ascore_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-unknown-pragmas>")
if(ASCORE_WERROR)
  target_compile_options(ascore_warnings INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-Werror>" "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>")
endif()
