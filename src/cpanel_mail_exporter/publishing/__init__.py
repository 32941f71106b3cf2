"""What has been learned of all servers, turned into the bytes that are served now."""
