using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Google.Protobuf.Reflection;
using Postern.Grpc.Health;
using Postern.Grpc.Reflection;
using Postern.Grpc.Reflection.V1;
using Postern.Grpc.Server;
using Postern.Tests.Grpc.Fixture;

namespace Postern.Tests.Grpc.Reflection;

public sealed class ReflectionServiceTests
{
    [Theory]
    [InlineData(ReflectionService.NameV1)]
    [InlineData(ReflectionService.NameV1Alpha)]
    public async Task ListServices_NamesAll(string version)
    {
        var list = (await Ask(version, new ServerReflectionRequest { ListServices = "" })).ListServicesResponse;
        Assert.Equal([HealthService.Name, ReflectionService.NameV1, ReflectionService.NameV1Alpha, "undescribed.Service"], list.Service.Select(service => service.Name));
    }

    [Theory]
    [InlineData("grpc.health.v1.Health")]
    [InlineData("grpc.health.v1.Health.Check")]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus")]
    [InlineData("grpc.health.v1.HealthCheckRequest.service")]
    public async Task FileContainingSymbol_IsTheFile(string symbol)
    {
        var files = Files(await Ask(ReflectionService.NameV1, new ServerReflectionRequest { FileContainingSymbol = symbol }));
        Assert.Equal(["grpc/health/v1/health.proto"], files.Select(file => file.Name));
        Assert.Equal("Health", files[0].Service.Single().Name);
    }

    [Fact]
    public void FileWithImports_ComesFirstAndEachImportOnce()
    {
        var files = DescriptorIndex.WithImports(Google.Protobuf.WellKnownTypes.TypeReflection.Descriptor);
        Assert.Equal("google/protobuf/type.proto", files[0].Name);
        Assert.Equal(["google/protobuf/any.proto", "google/protobuf/source_context.proto"], files.Skip(1).Select(file => file.Name).Order());
    }

    [Fact]
    public async Task FileByFilename_IsTheFile() =>
        Assert.Single(Files(await Ask(ReflectionService.NameV1Alpha, new ServerReflectionRequest { FileByFilename = "grpc/health/v1/health.proto" })));

    public static TheoryData<ServerReflectionRequest> Unknown => new()
    {
        new ServerReflectionRequest { FileContainingSymbol = "no.Such" },
        new ServerReflectionRequest { FileByFilename = "no.proto" },
        new ServerReflectionRequest { AllExtensionNumbersOfType = "no.Such" },
        new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "grpc.health.v1.HealthCheckRequest", ExtensionNumber = 7 } },
    };

    [Theory]
    [MemberData(nameof(Unknown))]
    public async Task WhatIsNotKnown_IsNotFoundAndTheStreamGoesOn(ServerReflectionRequest request)
    {
        var response = await Ask(ReflectionService.NameV1, request);
        Assert.Equal(5, response.ErrorResponse.ErrorCode);
        Assert.Equal(request, response.OriginalRequest);
    }

    private static List<FileDescriptorProto> Files(ServerReflectionResponse response) =>
        [.. response.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom)];

    private static async Task<ServerReflectionResponse> Ask(string version, ServerReflectionRequest request)
    {
        ServiceDefinition[] services = [new HealthService().Definition, new ServiceDefinition("undescribed.Service")];
        await using var pair = await Pair.StartAsync(services: [.. services, .. ReflectionService.Definitions(services)]);
        await using var call = pair.Invoker.Open(ReflectionService.Info(version));
        await call.WriteAsync(request).Within();
        var response = (await call.ReadAsync().Within())!;
        await call.WriteAsync(new ServerReflectionRequest { ListServices = "" }).Within();
        Assert.NotNull(await call.ReadAsync().Within());
        await call.CompleteAsync().Within();
        Assert.Null(await call.ReadAsync().Within());
        return response;
    }
}
