"""Cameras 视频: which see an alert, when their pictures are taken, and how one is asked."""
