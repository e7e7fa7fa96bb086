"""What people and scripts see: REST, the live WebSocket, sessions, the operator's console."""
