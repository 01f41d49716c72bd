target_sources(convoy_common PRIVATE coordinator_client.cc listen_address.cc)
