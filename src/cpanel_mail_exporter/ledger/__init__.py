"""What has been learned of each server."""
