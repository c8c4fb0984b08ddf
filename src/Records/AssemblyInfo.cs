using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Postern.Tests.Records")]
