using System.IO;

namespace Postern.Tests.Grpc.Interop;

/// <summary>A test against the foreign implementation of Debian's python3-grpcio; skipped only when that package is not there.</summary>
public sealed class PythonFactAttribute : FactAttribute
{
    public PythonFactAttribute()
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/grpc"))
        {
            Skip = "python3-grpcio is not installed (apt-get install python3-grpcio; as root ./test.sh does it)";
        }
    }
}
