# ascore_add_layer(<name> [sources...]): the library of one top-level folder, all .cpp files below it.
function(ascore_add_layer name)
  add_library(${name} STATIC ${ARGN})
  add_library(ascore::${name} ALIAS ${name})
  target_include_directories(${name} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ascore>")
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:ascore_warnings> ascore_external::fmt)
  target_precompile_headers(${name} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:<fmt/format.h$<ANGLE-R>>" "$<$<COMPILE_LANGUAGE:CXX>:<functional$<ANGLE-R>>"
    "$<$<COMPILE_LANGUAGE:CXX>:<memory$<ANGLE-R>>" "$<$<COMPILE_LANGUAGE:CXX>:<string$<ANGLE-R>>"
    "$<$<COMPILE_LANGUAGE:CXX>:<unordered_map$<ANGLE-R>>" "$<$<COMPILE_LANGUAGE:CXX>:<vector$<ANGLE-R>>")
  target_compile_features(${name} INTERFACE "$<INSTALL_INTERFACE:cxx_std_20>")
  install(TARGETS ${name} EXPORT ascoreTargets)
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${name})
endfunction()
