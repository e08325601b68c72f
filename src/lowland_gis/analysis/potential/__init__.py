"""What redevelopment units could gain (再开发潜力), next uses and the balance of money: pure functions over parcels and parameters."""
